import { describe, expect, test } from "vitest";
import { boundedJson, jsonFault } from "./bounded-json.ts";

const bounds = { bytes: 100, depth: 3 };

describe("a JSON object that callers hang on a thing", () => {
  test.each([{}, { a: 1 }, { a: { b: { c: "d\nتست" } } }, { a: [[1, null, true]] }])(
    "takes %j",
    (value) => {
      expect(jsonFault(value, bounds)).toBeNull();
    },
  );

  test("counts bytes, not characters", () => {
    expect(jsonFault({ a: "x".repeat(92) }, bounds)).toBeNull();
    expect(jsonFault({ a: "x".repeat(93) }, bounds)).toContain("100 bytes");
    expect(jsonFault({ a: "ت".repeat(47) }, bounds)).toContain("it has 102");
  });

  test("refuses what is nested too deep, however deep it is", () => {
    expect(jsonFault({ a: { b: { c: {} } } }, bounds)).toContain("3 levels");
    const deep: unknown = JSON.parse(`${'{"a":'.repeat(1_000_000)}1${"}".repeat(1_000_000)}`);
    expect(jsonFault(deep, bounds)).toContain("3 levels");
  });

  test("refuses very many values without exhausting the stack", () => {
    expect(jsonFault({ a: Array.from({ length: 1_000_000 }, () => 0) }, bounds)).toContain(
      "100 bytes",
    );
  });

  test.each([
    { a: "\u0000" },
    { "\u0000": 1 },
    { a: "\ud800" },
    { a: ["\udfff"] },
    { "\ud800": 1 },
  ])("refuses text that Postgres cannot store: %j", (value) => {
    expect(jsonFault(value, bounds)).toContain("broken Unicode");
  });

  test.each([[[]], ["text"], [null], [1]])("refuses what is no object: %j", (value) => {
    expect(boundedJson(bounds).safeParse(value).success).toBe(false);
  });

  test("keeps prototypes clean", () => {
    const result = boundedJson(bounds).safeParse(
      JSON.parse('{"__proto__": {"admin": true}, "a": 1}'),
    );
    expect(result.data && "admin" in result.data).toBe(false);
    expect(({} as Record<string, unknown>)["admin"]).toBeUndefined(); // a plain object, seen as a map
  });
});
