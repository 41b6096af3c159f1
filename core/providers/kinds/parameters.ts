import type { Fields } from "../../chat/loose-json.ts";
import { unsupported } from "./kind.ts";

/** What a kind does with the parameters of a canonical request. */
export interface ParameterRules {
  /** Those that the kind puts into its own form. */
  translated: readonly string[];
  /** Those that it cannot do: which values ask for nothing, and what to say of the others. */
  refused: Readonly<Record<string, RefusedParameter>>;
}

export interface RefusedParameter {
  harmless(value: unknown): boolean;
  sentence: string;
}

/**
 * The most tokens that an answer may have: of OpenAI's two names for it the smaller one, as limits may have added theirs
 * beside the client's.
 */
export function outputLimit(raw: Fields): number | null {
  const { max_completion_tokens: newer, max_tokens: older } = raw;
  const limits = [newer, older].filter((limit) => typeof limit === "number");
  return limits.length > 0 ? Math.min(...limits) : null;
}

/** Parameters that change nothing in the answer; providers that know none of them would refuse the request for them. */
const WITHOUT_EFFECT = [
  "metadata",
  "prediction",
  "prompt_cache_key",
  "prompt_cache_retention",
  "safety_identifier",
  "service_tier",
  "store",
  "stream_options",
  "user",
];

const never = () => false;

/** What no kind but OpenAI's own can do. */
export const REFUSED_EVERYWHERE: Readonly<Record<string, RefusedParameter>> = {
  audio: { harmless: never, sentence: "cannot be asked for" },
  function_call: { harmless: never, sentence: "is not understood; use tool_choice" },
  functions: { harmless: never, sentence: "is not understood; use tools" },
  logit_bias: {
    harmless: (value) => typeof value === "object" && Object.keys(value ?? {}).length === 0,
    sentence: "has no counterpart",
  },
  logprobs: { harmless: (value) => value === false, sentence: "cannot be asked for" },
  top_logprobs: { harmless: (value) => value === 0, sentence: "cannot be asked for" },
  modalities: {
    harmless: (value) => Array.isArray(value) && value.every((one) => one === "text"),
    sentence: "can be nothing but text",
  },
  verbosity: { harmless: (value) => value === "medium", sentence: "has no counterpart" },
  web_search_options: { harmless: never, sentence: "has no counterpart" },
};

/**
 * The parameters that nobody here knows: they go to the provider as they are, which refuses what it does not know
 * either, and so knows its own, such as Anthropic's `thinking` and `top_k`.
 * @param label the kind's name in sentences
 * @throws AppError `invalid_request` that names a parameter which the kind cannot do
 */
export function unknownParameters(raw: Fields, label: string, rules: ParameterRules): Fields {
  const unknown: Fields = {};
  for (const [name, value] of Object.entries(raw)) {
    if (value === null || value === undefined) continue;
    const refused = Object.hasOwn(rules.refused, name) ? rules.refused[name] : undefined;
    if (refused) {
      if (!refused.harmless(value)) throw unsupported(label, name, refused.sentence);
    } else if (!rules.translated.includes(name) && !WITHOUT_EFFECT.includes(name)) {
      unknown[name] = value;
    }
  }
  return unknown;
}
