import { describe, expect, it } from "vitest";
import { findVins } from "./find-vins.ts";

const HONDA = "1HGCM82633A004352";
const FORD = "1FTFW5L86RFB45612";

describe("a text that is nothing but VINs", () => {
  it.each([
    [HONDA, [HONDA]],
    [` ${HONDA}\n`, [HONDA]],
    ["1hgcm82633a004352", ["1hgcm82633a004352"]],
    ["1HG CM826 33A 004352", ["1HG CM826 33A 004352"]],
    ["1HGCM82633A-004352", ["1HGCM82633A-004352"]],
    ["1HGCM82633A۰۰۴۳۵۲", ["1HGCM82633A۰۰۴۳۵۲"]],
    [`VIN: ${HONDA}`, [HONDA]],
    [`شاسی ${HONDA}`, [HONDA]],
    [`${HONDA} ${FORD}`, [HONDA, FORD]],
    [`${HONDA}, ${FORD};\n${HONDA}`, [HONDA, FORD, HONDA]],
    [`1. ${HONDA}\n2. ${FORD}`, [HONDA, FORD]],
    [`${HONDA}، ${FORD}`, [HONDA, FORD]],
    ["1HGCM82633A00435", ["1HGCM82633A00435"]], // one is missing
    ["1HGCM82633AOO4352", ["1HGCM82633AOO4352"]], // letters that no VIN has
    [`${HONDA}\n1HGCM82633A00435`, [HONDA, "1HGCM82633A00435"]],
    ["WVWZZZ1KZAW000001", ["WVWZZZ1KZAW000001"]],
  ])("is read: %j", (text, vins) => {
    expect(findVins(text)).toEqual(vins);
  });
});

describe("anything else goes to the model", () => {
  it.each([
    "",
    "   ",
    "hello there",
    `what is ${HONDA}?`,
    `${HONDA} please`,
    `is ${HONDA} a Honda`,
    "INTERNATIONALIZED",
    "the quick brown fox",
    "4111 1111 1111 1111",
    "+49 170 1234567890",
    "550e8400-e29b-41d4-a716-446655440000",
    "12345678901234567",
    "https://example.com/a1b2c3d",
    "2026-11-21 19:30:00",
    "/vin 1HGCM82633A004352",
    "🚗".repeat(17),
    "A1".repeat(5_000),
  ])("%j", (text) => {
    expect(findVins(text)).toBeNull();
  });
});
