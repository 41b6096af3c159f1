import { describe, expect, it } from "vitest";
import type { LimitRule } from "./limit-rule.ts";
import { maxAt, windowAt } from "./limit-windows.ts";

const at = (text: string) => Date.parse(text);

describe("windows", () => {
  it.each([
    ["second", "2026-11-21T13:14:15Z", "2026-11-21T13:14:16Z"],
    ["minute", "2026-11-21T13:14:00Z", "2026-11-21T13:15:00Z"],
    ["hour", "2026-11-21T13:00:00Z", "2026-11-21T14:00:00Z"],
    ["day", "2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"],
    ["week", "2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z"], // Monday to Monday
    ["month", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"],
  ] as const)("a %s is aligned to UTC", (window, start, end) => {
    const expected = { start: at(start), end: at(end) };
    expect(windowAt(window, at("2026-11-21T13:14:15.678Z"))).toEqual(expected);
    expect(windowAt(window, at(start))).toEqual(expected);
    expect(windowAt(window, at(end) - 1)).toEqual(expected);
  });

  it("a total never ends", () => expect(windowAt("total", Date.now()).end).toBeNull());
});

describe("what a limit allows", () => {
  const rule: LimitRule = {
    id: "lim_1",
    keyId: null,
    prepaid: false,
    unit: "usd",
    window: "total",
    max: 100,
    model: null,
    endUser: null,
    soft: false,
    onError: "closed",
    raise: null,
    refill: null,
  };

  it("is raised until the raise ends, not a millisecond longer", () => {
    const raised = { ...rule, raise: { max: 900, until: at("2026-11-21T13:00:00Z") } };
    expect(maxAt(raised, at("2026-11-21T13:00:00Z") - 1)).toBe(900);
    expect(maxAt(raised, at("2026-11-21T13:00:00Z"))).toBe(100);
  });

  it.each([
    ["day", "2026-11-24T00:00:00Z", 3],
    ["week", "2026-11-30T00:00:00Z", 2],
    ["month", "2027-01-01T00:00:00Z", 2],
  ] as const)("grows at the start of each %s after the first", (every, now, periods) => {
    const refill = { amount: 10, every, since: at("2026-11-21T13:00:00Z") };
    expect(maxAt({ ...rule, refill }, at(now))).toBe(100 + 10 * periods);
    expect(maxAt({ ...rule, refill }, at(now) - 1)).toBe(100 + 10 * (periods - 1));
    expect(maxAt({ ...rule, refill }, refill.since)).toBe(100);
  });
});
