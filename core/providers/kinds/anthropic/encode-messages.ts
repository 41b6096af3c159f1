import { type Fields, listOf, objectOf } from "../../../chat/loose-json.ts";
import { malformed, unsupported } from "../kind.ts";
import { type MessagePart, partsOf } from "../message-parts.ts";
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
        system.push(...blocksOf(message, path));
        break;
      case "user":
        say("user", blocksOf(message, path));
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
  return { system, messages };
}

function blocksOf(message: Fields, path: string): Fields[] {
  const parts = partsOf(message["content"], `${path}.content`);
  const blocks = parts.map(encodePart);
  if (message["role"] !== "user" && parts.some(({ type }) => type !== "text"))
    throw malformed(`${path}.content`, "can be nothing but text in a message of this role");
  return blocks;
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
  return [...thoughtsOf(message), ...text, ...calls];
}

/** The thoughts that a message came with: a model that calls tools wants them back as they were. */
function thoughtsOf(message: Fields): Fields[] {
  const { thinking_blocks: blocks } = objectOf(objectOf(message["extra_content"])["anthropic"]);
  return listOf(blocks).map(objectOf);
}

function toolResult(message: Fields, path: string): Fields {
  const parts = partsOf(message["content"], `${path}.content`);
  return {
    type: "tool_result",
    tool_use_id: toolId(toolCallIdOf(message, path)),
    ...(parts.length > 0 ? { content: parts.map(encodePart) } : {}),
  };
}

/** Anthropic takes only some characters in these ids; other providers made theirs of any. */
function toolId(id: string): string {
  return id.replaceAll(/[^a-zA-Z0-9_-]/g, "_") || "_";
}

function encodePart(part: MessagePart): Fields {
  const cache = part.raw["cache_control"] ? { cache_control: part.raw["cache_control"] } : {};
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
