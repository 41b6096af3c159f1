import { type Fields, listOf, objectOf } from "../../../chat/loose-json.ts";
import {
  type CanonicalToolCall,
  type CanonicalUsage,
  count,
  type FinishReason,
} from "../canonical-answer.ts";
import type { KindRequest } from "../kind.ts";
import { outputLimit } from "../parameters.ts";

/** What an older model's answer, or an event of it, has to say: `{"response", "tool_calls", "usage"}`. */
export interface Output {
  text: string;
  calls: CanonicalToolCall[];
  usage: CanonicalUsage | null;
}

/** @param makeId an id for a call: older models give none */
export function readOutput(output: Fields, makeId: () => string): Output {
  const { response, usage } = output;
  return {
    // With a JSON format the response is the object itself.
    text: typeof response === "object" ? jsonOf(response) : String(response ?? ""),
    calls: listOf(output["tool_calls"]).map((call) => readCall(objectOf(call), makeId)),
    usage: usage ? toUsage(objectOf(usage)) : null,
  };
}

const jsonOf = (value: object | null) => (value === null ? "" : JSON.stringify(value));

/** Flat, `{"name", "arguments": {…}}`, or as OpenAI has it. */
function readCall(call: Fields, makeId: () => string): CanonicalToolCall {
  const { id } = call;
  const { name, arguments: input } = call["function"] ? objectOf(call["function"]) : call;
  return {
    id: typeof id === "string" && id !== "" ? id : makeId(),
    type: "function",
    function: {
      name: String(name),
      arguments: typeof input === "string" ? input : JSON.stringify(input ?? {}),
    },
  };
}

function toUsage(usage: Fields): CanonicalUsage {
  const prompt = count(usage["prompt_tokens"]);
  const completion = count(usage["completion_tokens"]);
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
  };
}

/** Older models don't say why they ended: one that used up its limit was cut by it. */
export function finishOf(
  hasCalls: boolean,
  usage: CanonicalUsage | null,
  { raw, maxOutputTokens }: KindRequest,
): FinishReason {
  if (hasCalls) return "tool_calls";
  const limit = outputLimit(raw) ?? maxOutputTokens;
  const full = usage !== null && typeof limit === "number" && usage.completion_tokens >= limit;
  return full ? "length" : "stop";
}

/** Newer models answer in OpenAI's form; only the model's name is the client's. */
export function isCanonical(answer: Fields): boolean {
  return Array.isArray(answer["choices"]);
}
