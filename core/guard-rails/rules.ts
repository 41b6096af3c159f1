import { z } from "zod";
import { isStorableText, line } from "../kernel/text.ts";
import { PII_KINDS } from "./pii.ts";

/** Rules of one team. */
export const RULES_LIMIT = 50;
/** Phrases of one rule, and characters of a phrase. */
const PHRASES_LIMIT = 10_000;
const PHRASE_LENGTH = 200;
const PATTERN_LENGTH = 1_000;
/** All rules together, as JSON, in UTF-16 units. */
const RULES_SIZE = 256 * 1024;

const BROKEN = "must not hold NUL characters or broken Unicode";

/** One guard rail, as it is sent, stored and shown. */
export const guardRail = z
  .strictObject({
    name: line(100).describe("What errors call it; unique within the team"),
    phrases: z
      .array(z.string().min(1).max(PHRASE_LENGTH).refine(isStorableText, BROKEN))
      .min(1)
      .max(PHRASES_LIMIT)
      .optional()
      .describe("Texts that are looked for as they stand"),
    pattern: z
      .string()
      .min(1)
      .max(PATTERN_LENGTH)
      .refine(isStorableText, BROKEN)
      .optional()
      .describe("A regular expression of the subset that docs/guard-rails.md describes"),
    pii: z
      .array(z.enum(PII_KINDS))
      .min(1)
      .max(PII_KINDS.length)
      .optional()
      .describe("Kinds of personal data"),
    ignore_case: z.boolean().default(true).describe("For phrases and patterns"),
    whole_words: z
      .boolean()
      .default(false)
      .describe("Phrases count only where they are no part of a longer word"),
    on: z
      .array(z.enum(["input", "output"]))
      .min(1)
      .max(2)
      .default(["input", "output"])
      .describe("What goes to models, and what comes from them"),
    action: z
      .enum(["deny", "mask"])
      .describe("Refuse the request or end the answer; or put the replacement in its place"),
    replacement: line(100)
      .optional()
      .describe("For `mask`; by default [MASKED], or the kind of personal data such as [EMAIL]"),
  })
  .superRefine((rule, refinement) => {
    const ways = [rule.phrases, rule.pattern, rule.pii].filter((way) => way !== undefined);
    const fault = (path: string, message: string) =>
      refinement.addIssue({ code: "custom", path: [path], message });
    if (ways.length !== 1) fault("name", "needs exactly one of phrases, pattern and pii beside it");
    if (rule.action === "deny" && rule.replacement !== undefined)
      fault("replacement", "belongs to rules that mask");
    if (rule.phrases === undefined && rule.whole_words)
      fault("whole_words", "belongs to rules with phrases");
  });

/** A guard rail of a team. */
export type GuardRail = z.infer<typeof guardRail>;

export const putGuardRailsInput = z
  .strictObject({ rules: z.array(guardRail).max(RULES_LIMIT) })
  .superRefine(({ rules }, refinement) => {
    rules.forEach(({ name }, index) => {
      if (rules.findIndex((other) => other.name === name) === index) return;
      const message = "is the name of another rule";
      refinement.addIssue({ code: "custom", path: ["rules", index, "name"], message });
    });
    if (JSON.stringify(rules).length <= RULES_SIZE) return;
    const message = `take more than ${RULES_SIZE} characters as JSON together`;
    refinement.addIssue({ code: "custom", path: ["rules"], message });
  });
