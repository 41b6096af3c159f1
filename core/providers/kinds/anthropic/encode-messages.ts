import { type Fields, listOf, objectOf } from "../../../chat/loose-json.ts";
import { malformed, unsupported } from "../kind.ts";
import { type MessagePart, NO_WORDS, partsOf } from "../message-parts.ts";
import { type NativePart, nativeOf } from "./native.ts";
import { inOrder, isThought, keptIn } from "./order.ts";
import { toolCallIdOf, toolCallsOf } from "../tools.ts";

const LABEL = "Anthropic";

/** A conversation as the Messages API has it: the system's words apart, and turns that alternate. */
export interface Conversation {
  system: Fields[];
  messages: Fields[];
}

/**
 * Puts canonical messages into turns: neighbours of one role become one turn, results of tools lead the user's turn.
 * @throws AppError `invalid_request`
 */
export function encodeMessages(list: readonly unknown[]): Conversation {
  const system: Fields[] = [];
  const messages: { role: string; content: Fields[] }[] = [];
  const say = (role: "user" | "assistant", blocks: Fields[]) => {
    if (blocks.length === 0) return;
    const last = messages.at(-1);
    if (last?.role === role) last.content.push(...blocks);
    else messages.push({ role, content: [...blocks] });
  };
  for (const [index, value] of list.entries()) {
    const message = objectOf(value);
    const path = `messages[${index}]`;
    switch (message["role"]) {
      case "system":
      case "developer":
        system.push(...marked(blocksOf(message, path), nativeOf(message)));
        break;
      case "user":
        say("user", marked(blocksOf(message, path), nativeOf(message)));
        break;
      case "assistant":
        say("assistant", assistantBlocks(message, path));
        break;
      case "tool":
        say("user", [toolResult(message, path)]);
        break;
      default:
        throw unsupported(
          LABEL,
          `${path}.role`,
          "must be system, developer, user, assistant or tool",
        );
    }
  }
  if (messages[0]?.role !== "user")
    messages.unshift({ role: "user", content: [{ type: "text", text: NO_WORDS }] });
  return { system, messages };
}

function blocksOf(message: Fields, path: string): Fields[] {
  const parts = saidParts(message["content"], `${path}.content`);
  const blocks = parts.map(encodePart);
  if (message["role"] !== "user" && parts.some(({ type }) => type !== "text"))
    throw malformed(`${path}.content`, "can be nothing but text in a message of this role");
  return blocks;
}

/** Anthropic refuses texts of nothing but white space. */
function saidParts(content: unknown, path: string): MessagePart[] {
  return partsOf(content, path).filter((part) => part.type !== "text" || part.text.trim() !== "");
}

function assistantBlocks(message: Fields, path: string): Fields[] {
  const refusal = message["content"] ? undefined : message["refusal"];
  const text = blocksOf({ ...message, content: message["content"] ?? refusal }, path);
  const calls = toolCallsOf(message, path).map(({ id, name, input }) => ({
    type: "tool_use",
    id: toolId(id),
    name,
    input,
  }));
  // A model that calls tools wants its thoughts back as they were, and where they were.
  const native = nativeOf(message);
  const kept = native.thinking_blocks ? native : keptIn(message);
  const thoughts = listOf(kept["thinking_blocks"]).map(objectOf);
  return marked(inOrder({ thoughts, texts: text, calls }, kept["order"]), native);
}

/** The mark of the cache that stood on a message's last block. */
function marked(blocks: Fields[], { cache_control: mark }: NativePart): Fields[] {
  const last = blocks.at(-1);
  if (!mark || !last || isThought(last)) return blocks;
  return [...blocks.slice(0, -1), { ...last, cache_control: mark }];
}

function toolResult(message: Fields, path: string): Fields {
  const parts = saidParts(message["content"], `${path}.content`);
  const { cache_control: mark, is_error: failed } = nativeOf(message);
  return {
    type: "tool_result",
    tool_use_id: toolId(toolCallIdOf(message, path)),
    ...(parts.length > 0 ? { content: parts.map(encodePart) } : {}),
    ...(failed ? { is_error: true } : {}),
    ...(mark ? { cache_control: mark } : {}),
  };
}

/** Anthropic takes only some characters in these ids; other providers made theirs of any. */
function toolId(id: string): string {
  return id.replaceAll(/[^a-zA-Z0-9_-]/g, "_") || "_";
}

function encodePart(part: MessagePart): Fields {
  const mark = part.raw["cache_control"] ?? nativeOf(part.raw).cache_control;
  const cache = mark ? { cache_control: mark } : {};
  if (part.type === "text") return { type: "text", text: part.text, ...cache };
  const { source, path } = part;
  if (part.type === "audio") throw unsupported(LABEL, path, "cannot be audio");
  if (source.from === "id")
    throw unsupported(
      LABEL,
      `${path}.file.file_id`,
      "cannot be a file uploaded elsewhere; send file_data",
    );
  const type = part.type === "image" ? "image" : "document";
  if (source.from === "url") return { type, source: { type: "url", url: source.url }, ...cache };
  const { mediaType: media_type, base64: data } = source;
  return { type, source: { type: "base64", media_type, data }, ...cache };
}
