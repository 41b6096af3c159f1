import { z } from "zod";
import type { Skill } from "./skill.ts";

/** A JSON Schema of an object. */
export type ObjectSchema = Record<string, unknown> & { type: "object" };

/** What a skill takes, as JSON Schema (2020-12): models, MCP clients and forms read it. */
export const inputSchemaOf = (skill: Skill) => jsonSchemaOf(skill.input, "input");

/** What a skill answers, as JSON Schema. */
export const outputSchemaOf = (skill: Skill) => jsonSchemaOf(skill.output, "output");

/** The JSON Schema of an object. */
export function jsonSchemaOf(schema: z.ZodType, io: "input" | "output"): ObjectSchema {
  // What JSON Schema cannot say, such as a check by code, is left to the skill, which refuses it with a sentence.
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io,
    unrepresentable: "any",
    // A format says it in a word; zod's pattern for it only costs a model tokens.
    override: ({ jsonSchema }) => {
      if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
    },
  });
  return { ...rest, type: "object" };
}
