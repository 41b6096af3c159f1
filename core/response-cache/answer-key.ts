import { nativeRequest } from "../providers/kinds/anthropic/native.ts";
import { sha256Hex } from "../kernel/digest.ts";

/** Grows with the form of what is kept, so that a new release never reads what an old one wrote. */
const FORM = 1;

/** What says who asks or how the answer is to be sent, and changes nothing in it. */
const WITHOUT_EFFECT = new Set([
  "user",
  "stream",
  "stream_options",
  "metadata",
  "safety_identifier",
  "prompt_cache_key",
]);

/** No request of a person is nested deeper; recursion stays shallow whatever is sent. */
const DEEPEST = 100;

/** What an answer depends on. */
export interface AnswerSource {
  teamId: string;
  /** Names the guard rails that the request and its answer go through; null where there are none. */
  guardRails: string | null;
  /** The model's targets and settings. */
  route: unknown;
  stream: boolean;
  request: Record<string, unknown>;
}

/**
 * The name under which an answer is kept: SHA-256, in hex, of all that it depends on. The team is part of it, and so
 * are the model's settings and the guard rails: when one of them changes, what was kept before is not found any more.
 * Null where the request is nested too deeply.
 */
export async function answerKey(source: AnswerSource): Promise<string | null> {
  const { request, ...rest } = source;
  const counted = Object.entries(request).filter(([name]) => !WITHOUT_EFFECT.has(name));
  const native = nativeRequest(request);
  const all = { form: FORM, ...rest, request: Object.fromEntries(counted), native };
  const text = canonicalJson(all, 0);
  return text === null ? null : sha256Hex(text);
}

/** JSON with the fields of every object in order, so that equal values have one text. */
function canonicalJson(value: unknown, depth: number): string | null {
  if (depth > DEEPEST) return null;
  if (Array.isArray(value)) {
    const items = value.map((item) => canonicalJson(item, depth + 1));
    return items.includes(null) ? null : `[${items.join(",")}]`;
  }
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const fields: string[] = [];
  for (const name of Object.keys(value).sort()) {
    const field = canonicalJson((value as Record<string, unknown>)[name], depth + 1); // its own key
    if (field === null) return null;
    fields.push(`${JSON.stringify(name)}:${field}`);
  }
  return `{${fields.join(",")}}`;
}
