import { describe, expect, it } from "vitest";
import { clustersOf, isReplaced, shareOut } from "./share-out.ts";

/** Fonts that have the characters they are called by. */
const has = (font: string, point: number) => font.includes(String.fromCodePoint(point));
const shares = (text: string, ...fonts: string[]) =>
  shareOut(text, fonts, has).map(({ font, text: part }) => [fonts.indexOf(font ?? ""), part]);

describe("which font draws a text", () => {
  it("is the first that has all of it", () => {
    expect(shares("bc", "ab", "abc", "bc")).toEqual([[1, "bc"]]);
  });

  it("is for each letter the first that has it, where none has all", () => {
    expect(shares("abz", "a", "ab", "z")).toEqual([
      [0, "a"],
      [1, "b"],
      [2, "z"],
    ]);
  });

  it("keeps joined emoji together in a font that has them all, and draws each where none has", () => {
    const family = "👩‍👩‍👧";
    expect(shares(family, "#", "👩", "👩👧\u200d")).toEqual([[2, family]]);
    expect(shares(family, "👧", "👩")).toEqual([
      [1, "👩"],
      [1, "👩"],
      [0, "👧"],
    ]);
  });

  it("takes a keycap from the font that has all of it, not from the one that has its digit", () => {
    expect(shares("1\ufe0f\u20e3", "1", "1\ufe0f\u20e3")).toEqual([[1, "1\ufe0f\u20e3"]]);
  });

  it("leaves out tones, variants and joiners that a font has nothing for", () => {
    expect(shares("👍🏽", "👍")).toEqual([[0, "👍"]]);
    expect(shares("❤\ufe0f", "❤")).toEqual([[0, "❤"]]);
    expect(shares("\u200d\ufe0f", "a")).toEqual([]);
  });

  it("takes a letter apart that no font has", () => {
    expect(shares("𝗔", "A")).toEqual([[0, "A"]]);
    expect(shares("㎏", "k", "g")).toEqual([
      [0, "k"],
      [1, "g"],
    ]);
  });

  it("puts a sign that is seen where no font has anything, and nothing where nothing is to be seen", () => {
    expect(shareOut("\u{10ffff}", ["a"], has).map(isReplaced)).toEqual([true]);
    expect(shareOut("\ud800", ["a"], has).map(isReplaced)).toEqual([true]);
    expect(shareOut("a", ["a"], has).map(isReplaced)).toEqual([false]);
    expect(shares("\u0000\u2066", "a")).toEqual([]);
    expect(shares("\t\u3000", "a")).toEqual([
      [-1, " "],
      [-1, " "],
    ]);
  });
});

it("counts what readers take for one letter as one", () => {
  expect(clustersOf("e\u0301👩‍👩‍👧🇩🇪x")).toEqual(["e\u0301", "👩‍👩‍👧", "🇩🇪", "x"]);
});
