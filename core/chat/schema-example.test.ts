import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exampleOf } from "./schema-example.ts";

const object = (properties: object, required = Object.keys(properties)) => ({
  type: "object",
  properties,
  required,
});

describe("exampleOf", () => {
  it("takes what the message says after a property's name", () => {
    const schema = object({
      city: { type: "string" },
      max_guests: { type: "integer" },
      note: { type: "string" },
      vegan: { type: "boolean" },
    });
    const text = 'book_table city: Lyon, max guests = 4, note "by the window" and vegan: yes';
    expect(exampleOf(schema, text)).toEqual({
      city: "Lyon",
      max_guests: 4,
      note: "by the window",
      vegan: true,
    });
  });

  it("leaves out what is neither required nor said", () => {
    const schema = object({ a: { type: "string" }, b: { type: "string" } }, ["a"]);
    expect(exampleOf(schema, "a: 1")).toEqual({ a: "1" });
    expect(exampleOf(schema, "a: 1, b: 2")).toEqual({ a: "1", b: "2" });
  });

  it("keeps to choices, constants and bounds", () => {
    const schema = object({
      unit: { enum: ["celsius", "kelvin"] },
      kind: { const: "weather" },
      days: { type: "integer", minimum: 1, maximum: 7 },
      above: { type: "number", exclusiveMinimum: 100 },
      code: { type: "string", minLength: 8, maxLength: 8 },
      tags: { type: "array", items: { enum: ["a"] }, minItems: 2 },
    });
    expect(exampleOf(schema, "In Kelvin, for 12.5 days")).toEqual({
      unit: "kelvin",
      kind: "weather",
      days: 7,
      above: 101,
      code: "In Kelvi",
      tags: ["a", "a"],
    });
  });

  it("fills formats with what the message has of them, else with a sample", () => {
    const schema = object({
      to: { type: "string", format: "email" },
      on: { type: "string", format: "date" },
    });
    expect(exampleOf(schema, "Write to ada@example.org")).toEqual({
      to: "ada@example.org",
      on: "2026-01-01",
    });
  });

  it("follows references and takes the first alternative that isn't null", () => {
    const schema = {
      ...object({
        at: { $ref: "#/$defs/place" },
        when: { anyOf: [{ type: "null" }, { type: "integer" }] },
        size: { type: ["null", "boolean"] },
      }),
      $defs: { place: object({ street: { type: "string" } }) },
    };
    expect(exampleOf(schema, "street: Main, 5")).toEqual({
      at: { street: "Main" },
      when: 5,
      size: false,
    });
  });

  it("comes to an end with schemas that refer to themselves or ask for very much", () => {
    const tree = {
      ...object({ children: { type: "array", items: { $ref: "#" }, minItems: 1e9 } }),
      minProperties: 3,
    };
    expect(JSON.stringify(exampleOf(tree, "x")).length).toBeLessThan(100_000);
    expect(exampleOf({ $ref: "#" }, "x")).toBe("x");
    const wide = object(
      Object.fromEntries(Array.from({ length: 50_000 }, (_, index) => [`p${index}`, {}])),
    );
    const long = "word ".repeat(200_000);
    expect(Object.keys(exampleOf(wide, long) as object).length).toBeLessThanOrEqual(1000); // an object, as its schema says
    expect(exampleOf({ type: "string", minLength: 1e9 }, "x")).toHaveLength(500);
  });

  it("takes whatever a client may send as a schema", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string({ unit: "binary" }), (schema, text) => {
        expect(() => JSON.stringify(exampleOf(schema, text))).not.toThrow();
      }),
    );
    const odd = object({ "a.b*(": { type: "string" }, __proto__: { type: "string" } });
    expect(exampleOf(odd, "a.b*(: yes")).toHaveProperty(["a.b*("], "yes");
  });
});
