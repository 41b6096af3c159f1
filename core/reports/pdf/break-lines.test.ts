import { describe, expect, it } from "vitest";
import type { Canvas, TextStyle } from "./canvas.ts";
import { breakLines, fitLines } from "./break-lines.ts";
import { clustersOf } from "./share-out.ts";

const style: TextStyle = { size: 10 };
/** Every letter is one wide. */
const canvas = { width: (text: string) => clustersOf(text).length } as unknown as Canvas; // all that lines are broken by

const lines = (text: string, width: number) =>
  breakLines(text, width, { canvas, style }).map(({ start, end }) => text.slice(start, end));

describe("lines", () => {
  it("end after words, and within those that are wider than a line", () => {
    expect(lines("one two three", 7)).toEqual(["one two ", "three"]);
    expect(lines("abcdefghij k", 4)).toEqual(["abcd", "efgh", "ij k"]);
  });

  it("keep numbers and days whole", () => {
    expect(lines("spend 2,937,780,222", 14)).toEqual(["spend ", "2,937,780,222"]);
    expect(lines("from 2026-10-01", 13)).toEqual(["from ", "2026-10-01"]);
    expect(lines("brand-1,shoes-2", 13)).toEqual(["brand-1,", "shoes-2"]);
  });

  it("end between Chinese and Japanese characters, which have no spaces", () => {
    expect(lines("Sale 双十一大促销活动", 8)).toEqual(["Sale 双十一", "大促销活动"]);
  });

  it("begin with nothing that closes, and end with nothing that opens", () => {
    expect(lines("促销活动。新品", 4)).toEqual(["促销活", "动。新品"]);
    expect(lines("東京「大阪」", 3)).toEqual(["東京", "「大", "阪」"]);
  });

  it("cut no letter in parts", () => {
    const family = "👩‍👩‍👧";
    expect(lines(family.repeat(5), 2)).toEqual([family.repeat(2), family.repeat(2), family]);
    expect(lines("e\u0301".repeat(5), 3)).toEqual(["e\u0301".repeat(3), "e\u0301".repeat(2)]);
    expect(lines("กุ้".repeat(4), 3).join("|")).toBe("กุ้กุ้กุ้|กุ้");
    const { text } = fitLines(family.repeat(9), { width: 4, lines: 1 }, { canvas, style });
    expect(text).toBe(`${family.repeat(3)}…`);
  });

  it("go on where a letter has more marks than a line takes", () => {
    const zalgo = `a${"\u0301".repeat(900)}b`;
    expect(lines(zalgo, 3).join("")).toBe(zalgo);
  });
});
