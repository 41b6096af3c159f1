import { z } from "zod";
import { isPlainText, isStorableText } from "./text.ts";

/** A JSON object that callers may hang on a thing and get back as it was. */
export type JsonObject = Record<string, unknown>;

export interface JsonBounds {
  /** Bytes of its JSON in UTF-8. */
  bytes: number;
  /** How many objects and arrays may stand in each other, itself included. */
  depth: number;
}

const encoder = new TextEncoder();

/**
 * Finds what a JSON value has that cannot be kept. It walks level by level and never deeper than allowed, so that a
 * hostile body cannot exhaust the stack.
 * @returns a sentence, or null where all is well
 */
export function jsonFault(value: unknown, bounds: JsonBounds): string | null {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    const next: unknown[] = [];
    for (const item of level) {
      if (typeof item === "string" && !isStorableText(item)) return BROKEN_TEXT;
      if (typeof item !== "object" || item === null) continue;
      if (depth >= bounds.depth) return `must not be nested deeper than ${bounds.depth} levels`;
      if (!Array.isArray(item) && !Object.keys(item).every(isPlainText)) return BROKEN_TEXT;
      for (const inner of Object.values(item)) next.push(inner);
    }
    level = next;
  }
  const size = encoder.encode(JSON.stringify(value)).length;
  return size > bounds.bytes
    ? `must not be over ${bounds.bytes} bytes as JSON; it has ${size}`
    : null;
}

const BROKEN_TEXT = "must not hold NUL characters or broken Unicode";

/** A JSON object within bounds. */
export const boundedJson = (bounds: JsonBounds) =>
  z.record(z.string(), z.unknown()).superRefine((value, check) => {
    const fault = jsonFault(value, bounds);
    if (fault !== null) check.addIssue({ code: "custom", message: fault });
  });
