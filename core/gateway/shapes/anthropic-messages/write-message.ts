import { inOrder } from "../../../providers/kinds/anthropic/order.ts";
import { type CanonicalToolCall, readCompletion } from "../canonical.ts";
import {
  emptyMessage,
  estimatedUsage,
  type MessageFrame,
  messageUsage,
  stopOf,
} from "./message.ts";
import { REASONING_SIGNATURE } from "./reasoning-signature.ts";

/** Writes a whole chat completion, as JSON text, as Anthropic's message. */
export function writeMessage(completion: string, frame: MessageFrame): string {
  const part = readCompletion(JSON.parse(completion));
  const { model, text, reasoning, refusal, toolCalls } = part;
  const thinking = { type: "thinking", thinking: reasoning, signature: REASONING_SIGNATURE };
  const said = text + refusal;
  const { thinkingBlocks, order } = part.anthropic;
  // Guard rails may have changed what it thought: the signature is of other words then.
  const thought = thinkingBlocks.map(({ thinking: words }) => String(words ?? "")).join("");
  const signed = thinkingBlocks.length > 0 && thought === reasoning;
  const unsigned = reasoning === "" ? [] : [thinking];
  const blocks = {
    thoughts: signed ? thinkingBlocks : unsigned,
    texts: said === "" ? [] : [{ type: "text", text: said }],
    calls: toolCalls.map((call, index) => toolUse(call, toolIdOf(call, frame.requestId, index))),
  };
  const content = inOrder(blocks, signed ? order : null).map((block) =>
    block["type"] === "text" ? { ...block, citations: null } : block,
  );
  const written = reasoning + said + toolCalls.map((call) => call.name + call.arguments).join("");
  const usage = part.usage ?? estimatedUsage(frame, written);
  return JSON.stringify({
    ...emptyMessage(frame, model),
    content,
    ...stopOf(part, { calledTool: toolCalls.length > 0, refused: refusal !== "" }),
    usage: messageUsage(usage),
  });
}

/** A call's own id, or one made of the request's where the provider gave it none. */
export const toolIdOf = (call: Pick<CanonicalToolCall, "id">, requestId: string, index: number) =>
  call.id ?? `${requestId.replace(/^req_/, "toolu_")}_${index}`;

function toolUse({ name, arguments: text }: CanonicalToolCall, id: string) {
  const caller = { type: "direct" };
  return { type: "tool_use", id, name: name ?? "", input: inputOf(text), caller };
}

/**
 * A tool's input is an object. Arguments that are none (cut by max_tokens, or simply wrong) come whole under the name
 * that Anthropic gives such: the tool's own check refuses it, and the model can be told what it wrote.
 */
function inputOf(text: string): unknown {
  if (text.trim() === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  } catch {
    // No JSON: as below.
  }
  return { INVALID_JSON: text };
}
