import { type Fields, objectOf } from "../../../chat/loose-json.ts";

/**
 * What a request of Anthropic's shape had besides the canonical form, on the part of the request that it belongs to. A
 * symbol stands in no JSON: other kinds never send it, while copies of the request keep it.
 */
export const NATIVE = Symbol("what only Anthropic's API has");

/** On the request itself. */
export interface NativeRequest {
  /** Fields of the body, which are sent as they came. */
  body: Fields;
  /** `output_config.effort`, as it came. */
  effort: string | null;
  /** The header `anthropic-beta`. */
  betas: string | null;
}

/** On a message, a part of its content, a call or a tool. */
export interface NativePart {
  cache_control?: unknown;
  is_error?: boolean;
  /** The thoughts of an assistant's message, whole and signed. */
  thinking_blocks?: Fields[];
  /** See `order.ts`. */
  order?: unknown[];
}

/** What a part of a request had besides. */
export function nativeOf(part: object): NativePart {
  return objectOf((part as { [NATIVE]?: unknown })[NATIVE]); // of whatever it is, an object at the least
}

/** What the request had besides; null where it came in another shape. */
export function nativeRequest(raw: object): NativeRequest | null {
  return (raw as { [NATIVE]?: NativeRequest })[NATIVE] ?? null; // put there by nobody but the Messages shape
}

/** The part with what it had besides; the part as it is where that is nothing. */
export function withNative<Part extends object>(part: Part, native: NativePart): Part {
  const present = Object.values(native).some((value) => value !== undefined && value !== null);
  return present ? Object.assign(part, { [NATIVE]: native }) : part;
}
