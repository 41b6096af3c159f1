import { z } from "zod";

/** How many origins a team may name. */
const ORIGINS_LIMIT = 100;

/** An origin as browsers send it: scheme, host and port, nothing behind; or `*` for all. */
const origin = z
  .string()
  .trim()
  .max(300)
  .refine(
    (text) => text === "*" || (URL.canParse(text) && new URL(text).origin === text),
    'must be an origin such as https://app.example.com, in lower case and with nothing behind it, or "*"',
  );

export const originList = z
  .array(origin)
  .max(ORIGINS_LIMIT)
  .transform((list) => [...new Set(list)]);
