import { describe, expect, it } from "vitest";
import { toolNameOf } from "./find-skill.ts";
import { inputSchemaOf, outputSchemaOf } from "./skill-schema.ts";
import { SKILLS } from "./skills.ts";

/** Bytes of a tool's input schema: every one is sent with each turn of a chat. */
const LARGEST_INPUT = 1_500;

it("are called differently, everywhere", () => {
  const commands = SKILLS.flatMap(({ telegram }) => (telegram ? [telegram.command] : []));
  for (const names of [SKILLS.map(({ name }) => name), SKILLS.map(toolNameOf), commands])
    expect(new Set(names).size).toBe(names.length);
});

describe.each(SKILLS)("$name", (skill) => {
  const schema = inputSchemaOf(skill);

  it("has names that each door takes", () => {
    expect(skill.name).toMatch(/^[a-z0-9_]+\.[a-z0-9_]+$/);
    expect(toolNameOf(skill)).toMatch(/^[a-z0-9_]{1,64}$/); // providers and MCP clients take no longer ones
    expect(skill.telegram?.command ?? "none").toMatch(/^[a-z0-9_]{1,32}$/);
  });

  it("tells models in few words what it is for, and of each field what it is", () => {
    expect(skill.summary.length).toBeLessThanOrEqual(300);
    expect(JSON.stringify(schema).length).toBeLessThanOrEqual(LARGEST_INPUT);
    for (const [name, field] of Object.entries(schema["properties"] ?? {}))
      expect([name, field]).toEqual([
        name,
        expect.objectContaining({ description: expect.stringMatching(/\S/) }),
      ]);
  });

  it("refuses a field that there is not, in place of answering something else", () => {
    expect(schema["additionalProperties"]).toBe(false);
    const wrong = skill.input.safeParse({ ...skill.example, start_date: "2026-11-01" });
    expect(wrong.error?.issues[0]).toMatchObject({ code: "unrecognized_keys" });
  });

  it("takes its own example, and its answer is an object by its schema", () => {
    expect(skill.input.safeParse(skill.example).error).toBeUndefined();
    expect(outputSchemaOf(skill).type).toBe("object");
  });

  it("explains its command in each language", () => {
    for (const usage of Object.values(skill.telegram?.usage ?? {})) {
      expect(usage).toMatch(new RegExp(`^/${skill.telegram?.command}\\b.* – \\S`));
      expect(usage.length).toBeLessThanOrEqual(200);
    }
  });
});
