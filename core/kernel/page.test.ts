import { describe, expect, test } from "vitest";
import { decodeCursor, encodeCursor, toPage } from "./page.ts";

describe("cursors", () => {
  test("come back as they went", () => {
    expect(decodeCursor(encodeCursor(["key_1", 17]), 2)).toEqual(["key_1", 17]);
    expect(decodeCursor(encodeCursor(["کاربر 😀 é"]), 1)).toEqual(["کاربر 😀 é"]);
  });

  const forged = (value: unknown) => btoa(JSON.stringify(value));
  test.each([
    "",
    "%%%",
    "x",
    forged("text"),
    forged({ length: 1 }),
    forged([]),
    forged(["a", "b"]),
    forged([null]),
    forged([["a"]]),
    forged([{ a: 1 }]),
    forged(["\u0000"]),
    forged(["\ud800"]),
  ])("that no list gave are refused, not passed on to the database: %s", (cursor) => {
    expect(() => decodeCursor(cursor, 1)).toThrow("cursor");
  });
});

describe("pages", () => {
  const page = (rows: number[]) =>
    toPage(
      rows,
      2,
      (row) => row,
      (row) => [row],
    );

  test("say where the next begins only when there is more", () => {
    expect(page([1, 2])).toEqual({ items: [1, 2], nextCursor: null });
    expect(page([])).toEqual({ items: [], nextCursor: null });
    const { items, nextCursor } = page([1, 2, 3]);
    expect(items).toEqual([1, 2]);
    expect(decodeCursor(nextCursor ?? "", 1)).toEqual([2]);
  });
});
