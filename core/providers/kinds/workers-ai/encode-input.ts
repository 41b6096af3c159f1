import { type Fields, listOf, objectOf } from "../../../chat/loose-json.ts";
import { type KindRequest, malformed } from "../kind.ts";
import {
  outputLimit,
  type ParameterRules,
  REFUSED_EVERYWHERE,
  unknownParameters,
} from "../parameters.ts";
import { readToolUse } from "../tools.ts";

const LABEL = "Workers AI";

/** Newer models understand them; what a model does not know it leaves alone. */
const { logprobs: _logprobs, top_logprobs: _topLogprobs, ...REFUSED } = REFUSED_EVERYWHERE;

const RULES: ParameterRules = {
  translated: ["max_completion_tokens", "max_tokens", "messages", "model", "n", "stream"],
  refused: { ...REFUSED, n: { harmless: (value) => value === 1, sentence: "must be 1" } },
};

/**
 * A canonical request as a model's input. Its models speak OpenAI's form, older ones only the plainest of it.
 * @throws AppError `invalid_request`
 */
export function encodeInput({ raw, stream, maxOutputTokens }: KindRequest): Fields {
  const others = unknownParameters(raw, LABEL, RULES);
  readToolUse(raw, LABEL); // for what it refuses: a model that does not know a tool answers as if there were none
  // Without a limit older models stop after 256 tokens.
  const limit = outputLimit(raw) ?? maxOutputTokens;
  return {
    messages: listOf(raw["messages"]).map(plainMessage),
    ...others,
    ...(typeof limit === "number" ? { max_tokens: limit } : {}),
    ...(stream ? { stream, stream_options: { include_usage: true } } : {}),
  };
}

/** Older models know three roles and tools, and content that is a text. */
function plainMessage(value: unknown, index: number): Fields {
  const message = objectOf(value);
  const { role, content } = message;
  if (role === "function")
    throw malformed(
      `messages[${index}].role`,
      "must be system, developer, user, assistant or tool",
    );
  return {
    ...message,
    role: role === "developer" ? "system" : role,
    content: plainContent(content),
  };
}

function plainContent(content: unknown): unknown {
  if (content === null || content === undefined) return "";
  const parts = listOf(content).map(objectOf);
  const onlyText = parts.length > 0 && parts.every(({ type }) => type === "text");
  return onlyText ? parts.map(({ text }) => String(text)).join("\n") : content;
}
