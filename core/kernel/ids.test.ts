import { describe, expect, it } from "vitest";
import { isId, newId } from "./ids.ts";

describe("ids", () => {
  it("say what they are of, and are recognised", () => {
    const id = newId("team");
    expect(id).toMatch(/^team_[0-9a-hjkmnp-tv-z]{26}$/);
    expect(isId("team", id)).toBe(true);
    expect(isId("key", id)).toBe(false);
  });

  it.each([
    "",
    "team_",
    "team_x",
    `team_${"0".repeat(25)}`,
    `team_${"0".repeat(27)}`,
    `team_${"i".repeat(26)}`,
    `team_${"0".repeat(25)}'`,
  ])("%j is none", (text) => {
    expect(isId("team", text)).toBe(false);
  });

  it("sort by their time", () => {
    const times = [0, 1, 31, 32, 1_000, 1_795_000_000_000, 1_795_000_000_001, 2 ** 47];
    const ids = times.map((time) => newId("request", time));
    expect([...ids].sort()).toEqual(ids);
  });

  it("differ, however many are made in one millisecond", () => {
    expect(new Set(Array.from({ length: 10_000 }, () => newId("key", 1))).size).toBe(10_000);
  });
});
