import { describe, expect, it } from "vitest";
import { BoundedMap } from "./bounded-map.ts";

describe("BoundedMap", () => {
  it("lets go of what was used longest ago, and never holds more than its limit", () => {
    const map = new BoundedMap<string, number>(3);
    for (const [index, key] of ["a", "b", "c"].entries()) map.set(key, index);
    map.get("a");
    map.set("d", 3);
    expect(map.size).toBe(3);
    expect(map.get("b")).toBeUndefined();
    expect([map.get("a"), map.get("c"), map.get("d")]).toEqual([0, 2, 3]);
  });

  it("replaces a value without counting it twice", () => {
    const map = new BoundedMap<string, number>(2);
    map.set("a", 1);
    map.set("a", 2);
    map.set("b", 3);
    expect([map.get("a"), map.get("b")]).toEqual([2, 3]);
  });

  it("keeps what was read last, read twice, deleted and set again, or set anew", () => {
    const map = new BoundedMap<string, number>(2);
    map.set("a", 1);
    map.set("b", 2);
    map.get("a");
    map.get("a");
    map.set("c", 3);
    expect([...map.entries()].map(([key]) => key)).toEqual(["a", "c"]);
    map.delete("c");
    map.set("c", 4);
    map.get("a");
    map.set("d", 5);
    expect([...map.entries()].map(([key]) => key)).toEqual(["a", "d"]);
  });
});
