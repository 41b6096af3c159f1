import { invalid } from "../../chat-request.ts";
import { type Fields, fieldsAt, isAbsent, listAt, textAt } from "../fields.ts";
import { nativeOf, withNative } from "../../../providers/kinds/anthropic/native.ts";
import { orderOf } from "../../../providers/kinds/anthropic/order.ts";
import { type ContentPart, plainContent, readContent, readText, textPart } from "./read-content.ts";
import { REASONING_SIGNATURE } from "./reasoning-signature.ts";

/** The system prompt as a message. @throws AppError `invalid_request` */
export function systemMessages(system: unknown): Fields[] {
  if (isAbsent(system)) return [];
  const content = readText(system, "system");
  if (content === "") return [];
  const marks = Array.isArray(system) ? system.map((block: Fields) => block["cache_control"]) : [];
  if (!marks.some(Boolean) || !Array.isArray(system)) return [{ role: "system", content }];
  const parts = system.map((block: Fields) => textPart(String(block["text"]), block));
  return [withContent("system", parts)];
}

/** A message of these parts; what a single text had besides goes with the message, as its content is a plain text. */
function withContent(role: string, parts: ContentPart[]): Fields {
  const content = plainContent(parts);
  const [first] = parts;
  const message = { role, content };
  return typeof content === "string" && first ? withNative(message, nativeOf(first)) : message;
}

/** @throws AppError `invalid_request` */
export function readMessages(value: unknown): Fields[] {
  const list = listAt(value, "messages").map((message, index) =>
    fieldsAt(message, `messages.${index}`),
  );
  if (list.length === 0) throw invalid("messages", "must be a list of at least one message");
  const loop = startOfToolLoop(list);
  return list.flatMap((message, index) => {
    const path = `messages.${index}`;
    const { role, content } = message;
    if (role === "user") return readUserMessage(content, `${path}.content`);
    if (role === "assistant") return [readAssistantMessage(content, path, index > loop)];
    if (role === "system") return [{ role, content: readText(content, `${path}.content`) }];
    throw invalid(`${path}.role`, "must be user, assistant or system");
  });
}

/**
 * The last message in which the user said something. What the model thought since then belongs to the calls of tools
 * that are still going on; what it thought before is over, as it is for Anthropic.
 */
function startOfToolLoop(messages: Fields[]): number {
  return messages.findLastIndex(({ role, content }) => {
    if (role !== "user") return false;
    return !Array.isArray(content) || content.some((block) => !isToolResult(block));
  });
}

const isToolResult = (block: unknown) =>
  typeof block === "object" && block !== null && "type" in block && block.type === "tool_result";

/** Results of tools are messages of their own, and come first, right after the calls that they answer. */
function readUserMessage(content: unknown, path: string): Fields[] {
  if (typeof content === "string") return [{ role: "user", content }];
  const results: Fields[] = [];
  const said: ContentPart[] = [];
  listAt(content, path).forEach((item, index) => {
    const block = fieldsAt(item, `${path}.${index}`);
    if (block["type"] !== "tool_result") {
      said.push(...readContent(block, `${path}.${index}`));
      return;
    }
    const { message, pictures } = readToolResult(block, `${path}.${index}`);
    results.push(message);
    said.push(...pictures);
  });
  if (said.length === 0 && results.length === 0) throw invalid(path, "must not be empty");
  if (said.length === 0) return results;
  return [...results, withContent("user", said)];
}

/** A tool's message has room for text only: pictures follow in the user's message. */
function readToolResult(block: Fields, path: string): { message: Fields; pictures: ContentPart[] } {
  const { content } = block;
  const parts: ContentPart[] =
    typeof content === "string"
      ? [{ type: "text", text: content }]
      : isAbsent(content)
        ? []
        : listAt(content, `${path}.content`).flatMap((item, index) =>
            readContent(fieldsAt(item, `${path}.content.${index}`), `${path}.content.${index}`),
          );
  const texts = parts.flatMap((part) => (part.type === "text" ? [part.text] : []));
  const pictures = parts.filter((part) => part.type !== "text");
  if (pictures.length > 0) texts.push("(What the tool showed follows in the next message.)");
  const text = texts.join("\n");
  const message = {
    role: "tool",
    tool_call_id: textAt(block["tool_use_id"], `${path}.tool_use_id`),
    content: block["is_error"] === true ? `Error: ${text}` : text,
  };
  const native = {
    cache_control: block["cache_control"],
    ...(block["is_error"] === true ? { is_error: true } : {}),
  };
  return { message: withNative(message, native), pictures };
}

function readAssistantMessage(content: unknown, path: string, inToolLoop: boolean): Fields {
  if (typeof content === "string") return { role: "assistant", content };
  let text = "";
  let thinking = "";
  const calls: Fields[] = [];
  const signed: Fields[] = [];
  const blocks = listAt(content, `${path}.content`).map((item, index) =>
    fieldsAt(item, `${path}.content.${index}`),
  );
  blocks.forEach((block, index) => {
    const at = `${path}.content.${index}`;
    const { type } = block;
    if (type === "text") text += textAt(block["text"], `${at}.text`);
    else if (type === "tool_use") calls.push(readToolUse(block, at));
    else if (type === "thinking") {
      const thought = textAt(block["thinking"], `${at}.thinking`);
      if (block["signature"] === REASONING_SIGNATURE) thinking += thought;
      else signed.push(block);
    } else if (type === "redacted_thinking") signed.push(block);
    else
      throw invalid(
        `${at}.type`,
        "must be text, tool_use, thinking or redacted_thinking; this gateway has no others",
      );
  });
  const message = {
    role: "assistant",
    content: text === "" && calls.length > 0 ? null : text,
    ...(inToolLoop && thinking !== "" ? { reasoning_content: thinking } : {}),
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
  };
  const own = blocks.filter(({ signature }) => signature !== REASONING_SIGNATURE);
  const order = signed.length > 0 ? orderOf(own) : null;
  return withNative(message, {
    cache_control: blocks.at(-1)?.["cache_control"],
    ...(signed.length > 0 ? { thinking_blocks: signed } : {}),
    ...(order === null ? {} : { order }),
  });
}

function readToolUse(block: Fields, path: string): Fields {
  const input = isAbsent(block["input"]) ? {} : fieldsAt(block["input"], `${path}.input`);
  const name = textAt(block["name"], `${path}.name`);
  return {
    id: textAt(block["id"], `${path}.id`),
    type: "function",
    function: { name, arguments: JSON.stringify(input) },
  };
}
