import { type Fields, fields, list, only, Refused, text } from "../expectations.ts";
import { generationOf } from "./generations.ts";

const BLOCKS: Record<string, string[]> = {
  text: ["type", "text", "cache_control", "citations"],
  image: ["type", "source", "cache_control"],
  document: ["type", "source", "title", "context", "citations", "cache_control"],
  tool_use: ["type", "id", "name", "input", "cache_control", "caller"],
  tool_result: ["type", "tool_use_id", "content", "is_error", "cache_control"],
  thinking: ["type", "thinking", "signature"],
  redacted_thinking: ["type", "data"],
};
const OF_ASSISTANT = ["text", "tool_use", "thinking", "redacted_thinking"];
const PICTURES = ["image/jpeg", "image/png", "image/gif", "image/webp"];

interface Turn {
  role: string;
  blocks: Fields[];
}

/**
 * Refuses turns that the Messages API refuses. It would join neighbours of one role; here they are refused too, as this
 * gateway promises turns that alternate.
 * @param issued the signatures of thoughts that this server made
 * @throws Refused
 */
export function checkMessages(body: Fields, issued: ReadonlySet<string>): void {
  const values = list(body["messages"], "messages: Field required");
  if (values.length === 0) throw new Refused("messages: at least one message is required");
  const turns = values.map((value, index) => readTurn(value, `messages.${index}`, issued));
  turns.forEach(({ role }, index) => {
    if (role !== (index % 2 === 0 ? "user" : "assistant"))
      throw new Refused(
        'messages: roles must alternate between "user" and "assistant", beginning with "user"',
      );
  });
  turns.forEach((turn, index) => checkResults(turn, turns[index - 1], index));
  const last = turns.at(-1);
  if (last?.role === "assistant") {
    if (last.blocks.some(({ type }) => type === "tool_use"))
      throw unanswered(turns.length - 1, last.blocks);
    if (!generationOf(String(body["model"])).prefill)
      throw new Refused(
        "This model does not support assistant message prefill. The conversation must end with a user message.",
      );
  }
  const used = turns.some(({ blocks }) =>
    blocks.some(({ type }) => String(type).startsWith("tool_")),
  );
  if (used && list(body["tools"] ?? [], "tools").length === 0)
    throw new Refused(
      "Requests which include `tool_use` or `tool_result` blocks must define tools",
    );
  checkThoughts(body, turns);
}

function readTurn(value: unknown, path: string, issued: ReadonlySet<string>): Turn {
  const message = fields(value, `${path}: Input should be an object`);
  only(message, ["role", "content"], (name) => `${path}.${name}: Extra inputs are not permitted`);
  const role = text(message["role"], `${path}.role: Field required`);
  const content = message["content"];
  const blocks = (
    typeof content === "string"
      ? [{ type: "text", text: content }]
      : list(content, `${path}.content: Field required`)
  ).map((block) => fields(block, `${path}.content: Input should be an object`));
  if (blocks.length === 0) throw new Refused(`${path}: all messages must have non-empty content`);
  blocks.forEach((block, index) => checkBlock(block, role, `${path}.content.${index}`, issued));
  return { role, blocks };
}

function checkBlock(block: Fields, role: string, path: string, issued: ReadonlySet<string>): void {
  const type = String(block["type"]);
  const known = BLOCKS[type];
  if (!known)
    throw new Refused(
      `${path}: Input tag '${type}' found using 'type' does not match any of the expected tags`,
    );
  only(block, known, (name) => `${path}.${type}.${name}: Extra inputs are not permitted`);
  if (role === "assistant" && !OF_ASSISTANT.includes(type))
    throw new Refused(`${path}: '${type}' blocks are not permitted in assistant turns`);
  if (type === "text" && String(block["text"] ?? "").trim() === "")
    throw new Refused("messages: text content blocks must contain non-whitespace text");
  if (type === "image") checkSource(block["source"], path, PICTURES);
  if (type === "document") checkSource(block["source"], path, ["application/pdf"]);
  if (type === "tool_use") {
    if (!/^[a-zA-Z0-9_-]+$/.test(String(block["id"])))
      throw new Refused(`${path}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'`);
    fields(block["input"], `${path}.tool_use.input: Input should be a valid dictionary`);
  }
  if (type === "thinking" && !issued.has(String(block["signature"])))
    throw new Refused(`${path}: Invalid \`signature\` in \`thinking\` block`);
  if (type === "tool_result" && Array.isArray(block["content"]))
    block["content"].forEach((part, index) =>
      checkBlock(fields(part, `${path}.content`), "user", `${path}.content.${index}`, issued),
    );
}

function checkSource(value: unknown, path: string, mediaTypes: string[]): void {
  const source = fields(value, `${path}.source: Field required`);
  if (source["type"] === "url") {
    if (!String(source["url"]).startsWith("https://"))
      throw new Refused(`${path}.source.url: Only HTTPS URLs are supported.`);
    return;
  }
  if (source["type"] !== "base64" || !mediaTypes.includes(String(source["media_type"])))
    throw new Refused(
      `${path}.source.base64.media_type: Input should be ${mediaTypes.join(" or ")}`,
    );
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(String(source["data"])))
    throw new Refused(`${path}.source.base64.data: invalid base64 data`);
}

/** Results lead the turn right after the calls, one for each of them and for nothing else. */
function checkResults(turn: Turn, before: Turn | undefined, index: number): void {
  if (turn.role !== "user") return;
  const called = (before?.blocks ?? [])
    .filter(({ type }) => type === "tool_use")
    .map(({ id }) => id);
  const results = turn.blocks.filter(({ type }) => type === "tool_result");
  const stray = results.find(({ tool_use_id: id }) => !called.includes(id));
  if (stray) {
    throw new Refused(
      `messages.${index}.content: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${String(stray["tool_use_id"])}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`,
    );
  }
  const answered = results.map(({ tool_use_id: id }) => id);
  if (called.some((id) => !answered.includes(id)))
    throw unanswered(index - 1, before?.blocks ?? []);
  if (turn.blocks.findLastIndex(({ type }) => type === "tool_result") >= results.length)
    throw new Refused(
      `messages.${index}.content: \`tool_result\` blocks must come before all other content`,
    );
}

function unanswered(index: number, blocks: Fields[]): Refused {
  const ids = blocks.filter(({ type }) => type === "tool_use").map(({ id }) => String(id));
  return new Refused(
    `messages.${index}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${ids.join(", ")}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`,
  );
}

/** While a model with a budget thinks, the calls that it is answering must come with what led to them. */
function checkThoughts(body: Fields, turns: Turn[]): void {
  const thinking = fields(body["thinking"] ?? {}, "thinking")["type"];
  const last = turns.findLast(({ role }) => role === "assistant");
  if (thinking !== "enabled" || !last?.blocks.some(({ type }) => type === "tool_use")) return;
  if (!["thinking", "redacted_thinking"].includes(String(last.blocks[0]?.["type"]))) {
    throw new Refused(
      "messages: Expected `thinking` or `redacted_thinking`, but found `tool_use`. When `thinking` is enabled, a final `assistant` message must start with a thinking block.",
    );
  }
}
