import { type Fields, listOf, objectOf } from "../../../chat/loose-json.ts";
import { type CanonicalMessage, completionText } from "../canonical-answer.ts";
import type { KindRequest } from "../kind.ts";
import { keptOf } from "./order.ts";
import { finishReason, refusalOf, toUsage } from "./usage.ts";

/**
 * A message of the Messages API as a canonical completion.
 * @throws Error where it is none
 */
export function decodeMessage(text: string, request: KindRequest): string {
  const answer = objectOf(JSON.parse(text));
  if (answer["type"] !== "message" || !Array.isArray(answer["content"]))
    throw new Error("This is no message of the Messages API");
  const blocks = listOf(answer["content"]).map(objectOf);
  const { stop_sequence: stopSequence } = answer;
  const choice = {
    index: 0,
    message: messageOf(blocks, refusalOf(answer)),
    finish_reason: finishReason(answer["stop_reason"]),
    ...(typeof stopSequence === "string" ? { stop_reason: stopSequence } : {}),
  };
  const usage = answer["usage"] ? toUsage(objectOf(answer["usage"])) : null;
  return completionText(String(answer["id"]), request, [choice], usage);
}

function messageOf(blocks: Fields[], refusal: string | null): CanonicalMessage {
  const ofType = (type: string) => blocks.filter((block) => block["type"] === type);
  const text = ofType("text").map((block) => String(block["text"]));
  const thoughts = ofType("thinking").map((block) => String(block["thinking"]));
  const calls = ofType("tool_use").map((block) => ({
    id: String(block["id"]),
    type: "function" as const,
    function: { name: String(block["name"]), arguments: JSON.stringify(block["input"] ?? {}) },
  }));
  return {
    role: "assistant",
    content: text.length > 0 ? text.join("") : null,
    refusal,
    ...(thoughts.length > 0 ? { reasoning_content: thoughts.join("") } : {}),
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
    ...keptOf(blocks),
  };
}
