import { estimatePromptTokens, estimateTokens } from "./estimate-tokens.ts";
import { type BuiltinSay, sayTo, standIn } from "./builtin-sentences.ts";
import { listOf, objectOf } from "./loose-json.ts";
import { exampleOf } from "./schema-example.ts";

/** What the builtin model knows of a tool that it may be offered. */
export interface Recogniser {
  /** The tool's name. */
  tool: string;
  /** Its arguments, where the text stands for a use of it; null for every other text. */
  recognise(text: string): object | null;
  /** What it answered, in words and in the language of the text; null where it is not to be told so. */
  tell(result: string, text: string): string | null;
}

/** A request as OpenAI shapes it; it is read field by field, since everything in it may be anything. */
type Request = Record<string, unknown>;

interface ToolCall {
  id: string;
  type: "function";
  function: { name: string; arguments: string };
}

/** What one choice says. */
interface Reply {
  content: string | null;
  toolCalls: ToolCall[];
  finishReason: "stop" | "length" | "tool_calls";
}

const MODEL = "builtin";
const CHOICES_LIMIT = 16;
const EMBEDDING_DIMENSIONS = 256;
const EMBEDDING_DIMENSIONS_LIMIT = 3_072;

/**
 * The stand-in that answers where no model is configured, in the shape of OpenAI's chat completion. It is honest about
 * what it is, calls a tool that recognises its part, and otherwise says which settings bring a real model.
 */
export function builtinCompletion(request: Request, recognisers: readonly Recogniser[] = []) {
  const replies = repliesTo(request, recognisers);
  return {
    ...envelope(),
    object: "chat.completion" as const,
    choices: replies.map((reply, index) => ({
      index,
      message: {
        role: "assistant" as const,
        content: reply.content,
        refusal: null,
        ...(reply.toolCalls.length > 0 ? { tool_calls: reply.toolCalls } : {}),
      },
      logprobs: null,
      finish_reason: reply.finishReason,
    })),
    usage: usageOf(request, replies),
  };
}

/** The same answer as chunks, a word at a time, and one with the usage at the end where the request asks for it. */
export function* builtinChunks(
  request: Request,
  recognisers: readonly Recogniser[] = [],
): Generator<object> {
  const replies = repliesTo(request, recognisers);
  const head = { ...envelope(), object: "chat.completion.chunk" as const };
  const withUsage =
    isObject(request["stream_options"]) && request["stream_options"]["include_usage"] === true;
  const chunk = (index: number, delta: object, finishReason: string | null = null) => ({
    ...head,
    choices: [{ index, delta, logprobs: null, finish_reason: finishReason }],
    ...(withUsage ? { usage: null } : {}),
  });
  for (const [index, reply] of replies.entries()) {
    yield chunk(index, { role: "assistant", content: reply.content === null ? null : "" });
    for (const word of words(reply.content ?? "")) yield chunk(index, { content: word });
    for (const [position, call] of reply.toolCalls.entries()) {
      const opening = {
        ...call,
        index: position,
        function: { name: call.function.name, arguments: "" },
      };
      yield chunk(index, { tool_calls: [opening] });
      for (const piece of call.function.arguments.match(/.{1,12}/gsu) ?? []) {
        yield chunk(index, { tool_calls: [{ index: position, function: { arguments: piece } }] });
      }
    }
    yield chunk(index, {}, reply.finishReason);
  }
  if (withUsage) yield { ...head, choices: [], usage: usageOf(request, replies) };
}

/**
 * Embeddings by feature hashing (Weinberger et al., 2009) of words and their letters' trigrams, normalised to length
 * 1: texts that share words are near each other, and nothing is known of what they mean.
 */
export function builtinEmbeddings(request: Request) {
  const { input, dimensions, encoding_format: format } = request;
  const size = Number.isInteger(dimensions)
    ? Math.min(EMBEDDING_DIMENSIONS_LIMIT, Math.max(1, Number(dimensions)))
    : EMBEDDING_DIMENSIONS;
  const single =
    typeof input === "string" ||
    (Array.isArray(input) && input.every((item) => typeof item === "number"));
  const texts = (single ? [input] : Array.isArray(input) ? input : []).map((item) =>
    typeof item === "string" ? item : JSON.stringify(item),
  );
  const tokens = texts.reduce((sum, text) => sum + estimateTokens(text), 0);
  return {
    object: "list" as const,
    model: MODEL,
    data: texts.map((text, index) => {
      const vector = hashedFeatures(text, size);
      return {
        object: "embedding" as const,
        index,
        embedding: format === "base64" ? base64Of(vector) : [...vector],
      };
    }),
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
}

function envelope() {
  return {
    id: `chatcmpl-${crypto.randomUUID()}`,
    created: Math.floor(Date.now() / 1000),
    model: MODEL,
    system_fingerprint: null,
  };
}

function usageOf(request: Request, replies: Reply[]) {
  const messages = Array.isArray(request["messages"]) ? request["messages"] : [];
  const tools = Array.isArray(request["tools"]) ? request["tools"] : undefined;
  const input = estimatePromptTokens(messages, tools);
  const output = replies.reduce((sum, reply) => sum + estimateTokens(writtenBy(reply)), 0);
  return { prompt_tokens: input, completion_tokens: output, total_tokens: input + output };
}

const writtenBy = (reply: Reply) =>
  (reply.content ?? "") +
  reply.toolCalls.map((call) => call.function.name + call.function.arguments).join("");

function repliesTo(request: Request, recognisers: readonly Recogniser[]): Reply[] {
  const count = Number.isInteger(request["n"])
    ? Math.min(CHOICES_LIMIT, Math.max(1, Number(request["n"])))
    : 1;
  return Array.from({ length: count }, () => replyTo(request, recognisers));
}

function replyTo(request: Request, recognisers: readonly Recogniser[]): Reply {
  const call = toolCallFor(request, recognisers);
  if (call) return { content: null, toolCalls: [call], finishReason: "tool_calls" };
  const say = situationOf(request);
  const told = toldBy(recognisers, say);
  const whole = jsonFor(request) ?? (told === null ? sayTo(say) : `${told}\n\n${standIn(say)}`);
  return cutReply(whole, request);
}

/** What the tool that was called last has answered, in its own words. */
function toldBy(recognisers: readonly Recogniser[], say: Situation): string | null {
  const { toolAnswer, toolName, text } = say;
  const recogniser = recognisers.find(({ tool }) => tool === toolName);
  return toolAnswer === null ? null : (recogniser?.tell(toolAnswer, text) ?? null);
}

interface Situation extends BuiltinSay {
  /** The tool that has answered; null where none has. */
  toolName: string | null;
}

/** What was said to it: the last user's text, how many pictures, and what a tool has answered since. */
function situationOf(request: Request): Situation {
  const messages = (Array.isArray(request["messages"]) ? request["messages"] : []).filter(isObject);
  const last = messages.findLast((message) => message["role"] === "user");
  const parts = Array.isArray(last?.["content"]) ? last["content"].filter(isObject) : [];
  const text =
    typeof last?.["content"] === "string"
      ? last["content"]
      : parts.map((part) => (typeof part["text"] === "string" ? part["text"] : "")).join(" ");
  const closing = messages.at(-1);
  const toolAnswer =
    closing?.["role"] === "tool" && typeof closing["content"] === "string"
      ? closing["content"]
      : null;
  return {
    text: text.trim(),
    images: parts.filter((part) => part["type"] === "image_url").length,
    toolAnswer,
    toolName: toolAnswer === null ? null : nameOfCall(messages, closing?.["tool_call_id"]),
  };
}

/** The name of the tool that a call of this id is of. */
function nameOfCall(messages: readonly Request[], id: unknown): string | null {
  for (const message of messages.toReversed())
    for (const call of listOf(message["tool_calls"]).map(objectOf))
      if (call["id"] === id) return String(objectOf(call["function"])["name"]);
  return null;
}

/**
 * A tool is called where the request forces one, or the user names one or says what stands for a use of it, and it was not
 * called yet.
 */
function toolCallFor(request: Request, recognisers: readonly Recogniser[]): ToolCall | null {
  const tools = (Array.isArray(request["tools"]) ? request["tools"] : [])
    .filter(isObject)
    .map((tool) => tool["function"])
    .filter(isObject);
  const choice = request["tool_choice"];
  if (choice === "none" || situationOf(request).toolAnswer !== null) return null;
  const forced =
    isObject(choice) && isObject(choice["function"]) ? choice["function"]["name"] : null;
  const { text } = situationOf(request);
  const named = tools.find(
    (tool) => typeof tool["name"] === "string" && text.includes(tool["name"]),
  );
  const tool =
    forced === null
      ? (named ?? (choice === "required" ? tools[0] : undefined))
      : tools.find(({ name }) => name === forced);
  const recognised = tool || choice === "required" ? null : recognise(recognisers, tools, text);
  if (recognised) return callOf(recognised.name, recognised.given);
  if (!tool || typeof tool["name"] !== "string") return null;
  return callOf(tool["name"], exampleOf(tool["parameters"], text));
}

/** The first of the tools that takes the text for a use of it. */
function recognise(recognisers: readonly Recogniser[], tools: readonly Request[], text: string) {
  for (const { tool: name, recognise } of recognisers) {
    const given = tools.some((tool) => tool["name"] === name) ? recognise(text) : null;
    if (given) return { name, given };
  }
  return null;
}

function callOf(name: string, given: unknown): ToolCall {
  return {
    id: `call_${crypto.randomUUID().replaceAll("-", "").slice(0, 24)}`,
    type: "function",
    function: { name, arguments: JSON.stringify(given ?? {}) },
  };
}

/** A JSON object where the request wants one, filled after its schema as well as it goes. */
function jsonFor(request: Request): string | null {
  const format = request["response_format"];
  if (!isObject(format)) return null;
  const say = situationOf(request);
  if (format["type"] === "json_object") return JSON.stringify({ reply: sayTo(say) });
  const wrapper = format["json_schema"];
  if (format["type"] !== "json_schema" || !isObject(wrapper)) return null;
  return JSON.stringify(exampleOf(wrapper["schema"], say.text));
}

/** Ends the text where `stop` or the limit of tokens says so. */
function cutReply(whole: string, request: Request): Reply {
  const stops = [request["stop"]]
    .flat()
    .filter((stop): stop is string => typeof stop === "string" && stop !== "");
  const ends = stops.map((stop) => whole.indexOf(stop)).filter((end) => end !== -1);
  const text = ends.length > 0 ? whole.slice(0, Math.min(...ends)) : whole;
  const limit = Number(request["max_completion_tokens"] ?? request["max_tokens"] ?? Infinity);
  if (estimateTokens(text) <= limit) return { content: text, toolCalls: [], finishReason: "stop" };
  return { content: fitting(words(text), limit), toolCalls: [], finishReason: "length" };
}

/** As many of the words as have no more tokens than the limit, found by halving: replies can be long. */
function fitting(all: string[], limit: number): string {
  let [fits, exceeds] = [0, all.length];
  while (exceeds - fits > 1) {
    const middle = (fits + exceeds) >> 1;
    if (estimateTokens(all.slice(0, middle).join("")) <= limit) fits = middle;
    else exceeds = middle;
  }
  return all.slice(0, fits).join("");
}

/** Words with the space behind them, as a model's tokens come. */
function words(text: string): string[] {
  return text.match(/\S+\s*|\s+/gu) ?? [];
}

function hashedFeatures(text: string, size: number): Float32Array {
  const vector = new Float32Array(size);
  for (const word of text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []) {
    addFeature(vector, word, 1);
    const padded = ` ${word} `;
    for (let start = 0; start + 3 <= padded.length; start++)
      addFeature(vector, padded.slice(start, start + 3), 0.3);
  }
  const length = Math.hypot(...vector);
  if (length === 0) vector[0] = 1;
  return length === 0 ? vector : vector.map((value) => value / length);
}

/** FNV-1a; one bit of it gives the sign, so that collisions cancel out on average. */
function addFeature(vector: Float32Array, feature: string, weight: number): void {
  let hash = 0x811c9dc5;
  for (let index = 0; index < feature.length; index++)
    hash = Math.imul(hash ^ feature.charCodeAt(index), 0x01000193);
  const place = (hash >>> 1) % vector.length;
  vector[place] = (vector[place] ?? 0) + ((hash & 1) === 0 ? weight : -weight);
}

function base64Of(vector: Float32Array): string {
  return btoa(
    Array.from(new Uint8Array(vector.buffer), (byte) => String.fromCharCode(byte)).join(""),
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
