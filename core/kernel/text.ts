import { z } from "zod";

/** Whether Postgres can store a text, and a page can show it: no control characters, no half of a surrogate pair. */
export function isPlainText(text: string): boolean {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.isWellFormed() && !/[\u0000-\u001f\u007f-\u009f]/.test(text);
}

/** Whether Postgres can store a text, line breaks and all: no NUL, no half of a surrogate pair. */
export function isStorableText(text: string): boolean {
  return text.isWellFormed() && !text.includes("\u0000");
}

/** A line that people give to a thing, such as its name: 1 to `max` characters without spaces around them. */
export const line = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max)
    .refine(isPlainText, "must not hold control characters or broken Unicode");
