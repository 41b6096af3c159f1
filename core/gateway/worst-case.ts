import { costMicros, dearestInput } from "../kernel/money.ts";
import { NATIVE } from "../providers/kinds/anthropic/native.ts";
import type { Route } from "../providers/catalog.ts";
import type { WorstCase } from "./admission.ts";

/** What an answer may have where neither the client nor the model says how much, in tokens. */
export const DEFAULT_OUTPUT_CAP = 4_096;
/** For a picture of any size; a model that counts more for one is charged what it counts, not refused. */
const IMAGE_TOKENS = 5_000;
/** Sound and files are counted by their size in base64; their tokens are far fewer than their bytes. */
const BYTES_PER_TOKEN_OF_FILES = 8;
/** What a message adds besides its texts: its frame, and names of fields that become special tokens. */
const OBJECT_TOKENS = 4;
/** Nothing that a model reads is nested deeper than this. */
const DEPTH_LIMIT = 64;

/**
 * What a request takes at most. A token has at least a byte, so a text has at most as many tokens as bytes; the output
 * is bounded by the client, or the model's maximum, for each choice. Input counts at the dearest price that the
 * provider's cache may make of it: what was not there before may be written, for more than plain input costs.
 * @param targets where it may go; the dearest price counts
 * @param copies how many providers may work on it at once, as with hedging
 */
export function worstCase(
  raw: Record<string, unknown>,
  targets: readonly Pick<Route, "prices" | "maxOutputTokens">[],
  copies = 1,
): WorstCase {
  const input = inputBound(raw, 0);
  const outputCap = outputBound(raw, targets);
  const choices = typeof raw["n"] === "number" ? raw["n"] : 1;
  const tokens = { input, output: outputCap * choices };
  const micros = Math.max(
    ...targets.map(({ prices }) =>
      costMicros(tokens, {
        inputPerMillionMicros: dearestInput(prices),
        outputPerMillionMicros: prices.outputPerMillionMicros,
      }),
    ),
  );
  return { tokens: (input + tokens.output) * copies, micros: micros * copies, outputCap };
}

/**
 * The largest bound of its output with which a request takes no more than this of tokens, or of money in micro-dollars;
 * null where it would not fit with a single token.
 */
export function fittingOutput(
  raw: Record<string, unknown>,
  { targets, copies }: { targets: readonly Pick<Route, "prices">[]; copies: number },
  unit: "tokens" | "usd",
  room: number,
): number | null {
  const input = inputBound(raw, 0);
  const choices = typeof raw["n"] === "number" ? raw["n"] : 1;
  const each = Math.floor(room / copies);
  const free = targets.map(({ prices }) => {
    if (unit === "tokens") return each - input;
    const left = each * 1_000_000 - input * dearestInput(prices);
    return prices.outputPerMillionMicros === 0 ? left : left / prices.outputPerMillionMicros;
  });
  const fitting = Math.floor(Math.min(...free) / choices);
  return fitting >= 1 ? fitting : null;
}

/** Servers of OpenAI's protocol know the one name or the other, so where a client sends both, the larger counts. */
function outputBound(
  raw: Record<string, unknown>,
  targets: readonly Pick<Route, "maxOutputTokens">[],
): number {
  const { max_completion_tokens: newer, max_tokens: older } = raw;
  if (typeof newer === "number") return typeof older === "number" ? Math.max(newer, older) : newer;
  if (typeof older === "number") return older;
  return Math.max(...targets.map((target) => target.maxOutputTokens ?? DEFAULT_OUTPUT_CAP));
}

/** The most tokens that a value of the request can become. */
function inputBound(value: unknown, depth: number): number {
  if (typeof value === "string") return utf8Bytes(value);
  if (typeof value !== "object" || value === null) return 1;
  if (depth === DEPTH_LIMIT) return utf8Bytes(JSON.stringify(value));
  if (Array.isArray(value)) {
    let sum = 0;
    for (const item of value) sum += inputBound(item, depth + 1);
    return sum;
  }
  const fields = value as Record<string, unknown>; // an object, as checked
  const { type } = fields;
  if (type === "image_url" || type === "input_image" || type === "image") return IMAGE_TOKENS;
  if (type === "input_audio" || type === "file" || type === "input_file") {
    return Math.ceil(utf8Bytes(JSON.stringify(fields)) / BYTES_PER_TOKEN_OF_FILES);
  }
  let sum = OBJECT_TOKENS;
  for (const key in fields) sum += key.length + inputBound(fields[key], depth + 1);
  // Signed thoughts, which only a target of Anthropic's gets.
  if (NATIVE in fields) sum += inputBound(fields[NATIVE], depth + 1);
  return sum;
}

/** Without encoding the text: bodies may have megabytes. */
function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    // Each half of a surrogate pair stands for two of its four bytes; one that stands alone becomes U+FFFD, of three.
    if (unit >= 0x80) bytes += unit < 0x800 ? 1 : 2;
  }
  return bytes;
}
