import { estimateTokens } from "./estimate-text-tokens.ts";
import { type Fields, listOf, objectOf } from "./loose-json.ts";

export { estimateTokens };

/**
 * OpenAI's own overheads of the models with o200k_base, in tokens. Source: "How to count tokens with tiktoken" in the
 * OpenAI cookbook.
 */
const MESSAGE = 3;
const NAME = 1;
const REPLY_PRIMING = 3;
const TOOL = 7;
const TOOLS_END = 12;
const PROPERTIES = 3;
const PROPERTY = 3;
const CHOICES = -3;
const CHOICE = 3;
/** Calls of tools in a message are written out much like messages of their own. */
const TOOL_CALL = 3;

/** A picture of 1024 × 1024 in high detail: 85 and 4 tiles of 170. The sizes of pictures aren't looked up. */
const IMAGE = 765;
const LOW_DETAIL_IMAGE = 85;

/** How deep schemas of tools are followed. */
const DEPTH_LIMIT = 16;

/**
 * Estimates the tokens of a chat completion's prompt as OpenAI counts them: texts, names, calls of tools, the overhead
 * of each message, a fixed number for each image, and the tools' definitions. It takes whatever a client may send.
 */
export function estimatePromptTokens(
  messages: readonly unknown[],
  tools?: readonly unknown[],
): number {
  let tokens = REPLY_PRIMING;
  for (const message of messages) tokens += messageTokens(objectOf(message));
  if (!tools || tools.length === 0) return tokens;
  for (const tool of tools) tokens += toolTokens(objectOf(tool));
  return tokens + TOOLS_END;
}

function messageTokens(message: Fields): number {
  const { role, name, content, tool_calls: calls } = message;
  let tokens = MESSAGE + textTokens(role) + contentTokens(content);
  if (typeof name === "string") tokens += NAME + textTokens(name);
  for (const call of listOf(calls)) {
    const called = objectOf(objectOf(call)["function"]);
    tokens += TOOL_CALL + textTokens(called["name"]) + textTokens(called["arguments"]);
  }
  return tokens;
}

function contentTokens(content: unknown): number {
  if (typeof content === "string") return estimateTokens(content);
  let tokens = 0;
  for (const item of listOf(content)) {
    const part = objectOf(item);
    if (part["type"] === "image_url") {
      const { detail } = objectOf(part["image_url"]);
      tokens += detail === "low" ? LOW_DETAIL_IMAGE : IMAGE;
    } else tokens += textTokens(part["text"]) + textTokens(part["refusal"]);
  }
  return tokens;
}

function toolTokens(tool: Fields): number {
  const { name, description, parameters } = objectOf(tool["function"]);
  return TOOL + estimateTokens(`${asText(name)}:${asText(description)}`) + schemaTokens(parameters);
}

function schemaTokens(schema: unknown, depth = 0): number {
  const properties = Object.entries(objectOf(objectOf(schema)["properties"]));
  if (properties.length === 0 || depth === DEPTH_LIMIT) return 0;
  let tokens = PROPERTIES;
  for (const [key, value] of properties) {
    const { type, description, enum: choices, items } = objectOf(value);
    tokens += PROPERTY + estimateTokens(`${key}:${asText(type)}:${asText(description)}`);
    if (Array.isArray(choices)) tokens += CHOICES;
    for (const choice of listOf(choices)) tokens += CHOICE + textTokens(choice);
    tokens += schemaTokens(value, depth + 1) + schemaTokens(items, depth + 1);
  }
  return tokens;
}

const textTokens = (value: unknown) => estimateTokens(asText(value));
const asText = (value: unknown) => (typeof value === "string" ? value : "");
