import { type Fields, listOf, objectOf } from "../../chat/loose-json.ts";

/** A call of a tool, or a part of one. In streams, all but the place may come later or in pieces. */
export interface CanonicalToolCall {
  index: number;
  id: string | null;
  name: string | null;
  arguments: string;
}

/** What a chat completion counted; null where its provider did not say. */
export interface CanonicalUsage {
  input: number;
  output: number;
  /** The part of the input that the provider had in its cache. */
  cachedInput: number;
  /** The part of the input that the provider put into its cache. */
  cacheWrite: number;
  /** The part of that which stays for an hour. */
  cacheWrite1h: number;
  /** The part of the output that was thinking. */
  reasoning: number;
}

/** What only an answer of Anthropic's has: its signed thoughts, all of them at its end, or one that has just ended. */
export interface AnthropicPart {
  thinkingBlocks: Fields[];
  thinkingBlock: Fields | null;
  order: unknown;
}

/** A chat completion, or one chunk of it: its first choice, as far as other shapes have room for it. */
export interface CanonicalPart {
  model: string | null;
  text: string;
  reasoning: string;
  refusal: string;
  toolCalls: CanonicalToolCall[];
  finishReason: string | null;
  /** The stop sequence that ended the answer, which vLLM and kinds of ours tell as `stop_reason`. */
  stopSequence: string | null;
  /** What Anthropic wants back unchanged. */
  anthropic: AnthropicPart;
  usage: CanonicalUsage | null;
}

/** Reads a whole chat completion. It takes whatever a provider may have sent. */
export const readCompletion = (completion: unknown) => readPart(completion, "message");

/** Reads one chunk of a streamed chat completion. It takes whatever a provider may have sent. */
export const readChunk = (chunk: unknown) => readPart(chunk, "delta");

function readPart(value: unknown, holder: "message" | "delta"): CanonicalPart {
  const { model, choices, usage } = objectOf(value);
  const choice = firstChoice(choices);
  const said = objectOf(choice[holder]);
  const { finish_reason: finishReason, stop_reason: stopSequence } = choice;
  return {
    model: text(model) || null,
    text: contentText(said["content"]),
    reasoning: text(said["reasoning_content"]) || text(said["reasoning"]),
    refusal: text(said["refusal"]),
    toolCalls: listOf(said["tool_calls"]).map(toolCall),
    finishReason: text(finishReason) || null,
    stopSequence: text(stopSequence) || null,
    anthropic: readAnthropic(said["extra_content"]),
    usage: readUsage(usage),
  };
}

const NOTHING: AnthropicPart = { thinkingBlocks: [], thinkingBlock: null, order: null };

function readAnthropic(extra: unknown): AnthropicPart {
  if (extra === undefined) return NOTHING;
  const kept = objectOf(objectOf(extra)["anthropic"]);
  const { thinking_block: block } = kept;
  return {
    thinkingBlocks: listOf(kept["thinking_blocks"]).map(objectOf),
    thinkingBlock: block === undefined ? null : objectOf(block),
    order: kept["order"] ?? null,
  };
}

/** The other shapes have room for one answer only. */
function firstChoice(choices: unknown): Fields {
  const all = listOf(choices).map(objectOf);
  return all.find(({ index }) => index === 0 || index === undefined) ?? {};
}

function toolCall(value: unknown, place: number): CanonicalToolCall {
  const call = objectOf(value);
  const called = objectOf(call["function"]);
  const { index } = call;
  return {
    index: typeof index === "number" ? index : place,
    id: text(call["id"]) || null,
    name: text(called["name"]) || null,
    arguments: argumentText(called["arguments"]),
  };
}

/** OpenAI's arguments are JSON in a text; some servers send the object itself. */
function argumentText(value: unknown): string {
  if (typeof value === "object" && value !== null) return JSON.stringify(value);
  return text(value);
}

/** Content is a text, or with some providers a list of parts. */
function contentText(content: unknown): string {
  if (!Array.isArray(content)) return text(content);
  return content.map((part) => text(objectOf(part)["text"])).join("");
}

function readUsage(value: unknown): CanonicalUsage | null {
  const usage = objectOf(value);
  const input = count(usage["prompt_tokens"]);
  if (input === null) return null;
  const total = count(usage["total_tokens"]) ?? input;
  const details = objectOf(usage["prompt_tokens_details"]);
  return {
    input,
    output: count(usage["completion_tokens"]) ?? Math.max(0, total - input),
    cachedInput: Math.min(input, count(details["cached_tokens"]) ?? 0),
    cacheWrite: count(details["cache_write_tokens"]) ?? 0,
    cacheWrite1h: count(details["cache_write_1h_tokens"]) ?? 0,
    reasoning: count(objectOf(usage["completion_tokens_details"])["reasoning_tokens"]) ?? 0,
  };
}

const text = (value: unknown) => (typeof value === "string" ? value : "");
const count = (value: unknown) =>
  Number.isInteger(value) && Number(value) >= 0 ? Number(value) : null;
