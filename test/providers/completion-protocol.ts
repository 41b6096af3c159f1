import type OpenAI from "openai";
import type { Fault } from "./fault.ts";

/** What every request is said to have had as input. */
export const PROMPT_TOKENS = 11;

export type ChatParameters = OpenAI.Chat.ChatCompletionCreateParams;
type Chunk = OpenAI.Chat.ChatCompletionChunk;
type Delta = Chunk["choices"][number]["delta"];

/** What the model says: calls of tools, or a sentence about what it was sent. */
interface Reply {
  pieces: string[];
  toolCalls: { id: string; name: string; argumentPieces: string[] }[];
  finishReason: string;
}

/**
 * The model's answer: it calls the tools that it is told to, or one that wants a city; else it tells of a tool's result,
 * counts pictures, or echoes.
 */
export function replyTo(request: ChatParameters, fault: Fault): Reply {
  const last = request.messages.at(-1);
  const [tool] = request.tools ?? [];
  const told = fault.toolCalls?.map(({ id, name, arguments: given }, index) => ({
    id: id ?? `call_${index + 1}`,
    name,
    argumentPieces: given.match(/.{1,9}/gsu) ?? [""],
  }));
  if (told)
    return {
      pieces: fault.pieces ?? [],
      toolCalls: told,
      finishReason: fault.finishReason ?? "tool_calls",
    };
  const wantsCity = tool?.type === "function" && "city" in (propertiesOf(tool) ?? {});
  if (wantsCity && request.tool_choice !== "none" && last?.role !== "tool") {
    const argumentPieces = ['{"city":', '"Teh', 'ran"}'];
    const toolCalls = [{ id: "call_1", name: tool.function.name, argumentPieces }];
    return { pieces: [], toolCalls, finishReason: fault.finishReason ?? "tool_calls" };
  }
  const pieces = fault.pieces ?? wordsOf(sentenceFor(last));
  const cap = request.max_completion_tokens ?? request.max_tokens ?? Infinity;
  const finishReason = fault.finishReason ?? (pieces.length > cap ? "length" : "stop");
  return { pieces: pieces.slice(0, cap), toolCalls: [], finishReason };
}

const propertiesOf = (tool: OpenAI.Chat.ChatCompletionFunctionTool) =>
  tool.function.parameters?.["properties"] as object | undefined; // a JSON schema's

function sentenceFor(last: OpenAI.Chat.ChatCompletionMessageParam | undefined): string {
  const content = last?.content ?? "";
  if (last?.role === "tool")
    return `The tool said: ${typeof content === "string" ? content : JSON.stringify(content)}`;
  if (typeof content === "string") return `You said: ${content}`;
  const images = content.filter((part) => part.type === "image_url").length;
  const texts = content.flatMap((part) => (part.type === "text" ? [part.text] : []));
  return `You sent ${images} images and said: ${texts.join(" ")}`;
}

/** Words with the space before them, as tokens are. */
function wordsOf(text: string): string[] {
  return text.match(/\s*\S+/g) ?? [""];
}

export function usageOf(reply: Reply, choices = 1): OpenAI.CompletionUsage {
  const { toolCalls, pieces } = reply;
  const called = toolCalls.reduce((sum, { argumentPieces }) => sum + argumentPieces.length, 0);
  const written = (pieces.length + called) * choices;
  return {
    prompt_tokens: PROMPT_TOKENS,
    completion_tokens: written,
    total_tokens: PROMPT_TOKENS + written,
  };
}

const created = () => Math.floor(Date.now() / 1000);

/** A whole chat completion. */
export function completionOf(request: ChatParameters, fault: Fault): object {
  const reply = replyTo(request, fault);
  const { pieces } = reply;
  const calls = reply.toolCalls.map(({ id, name, argumentPieces }) => ({
    id,
    type: "function",
    function: { name, arguments: argumentPieces.join("") },
  }));
  const message = {
    role: "assistant",
    content: calls.length > 0 && pieces.length === 0 ? null : pieces.join(""),
    refusal: null,
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
  };
  const choices = Array.from({ length: request.n ?? 1 }, (_, index) => ({
    index,
    message,
    logprobs: null,
    finish_reason: reply.finishReason,
  }));
  return {
    id: "chatcmpl-1",
    object: "chat.completion",
    created: created(),
    model: request.model,
    choices,
    ...(fault.usage === "never" ? {} : { usage: usageOf(reply, choices.length) }),
    system_fingerprint: "fp_fault",
  };
}

/** The data of each event of a streamed completion, without `[DONE]`, in the order of the wire. */
export function chunksOf(request: ChatParameters, fault: Fault): object[] {
  const reply = replyTo(request, fault);
  const choices = request.n ?? 1;
  const usage = usageOf(reply, choices);
  const place = fault.usage ?? "asked";
  const asked = request.stream_options?.include_usage === true;
  const base = {
    id: "chatcmpl-1",
    object: "chat.completion.chunk",
    created: created(),
    model: request.model,
    system_fingerprint: "fp_fault",
  };
  const everyUsage =
    place === "null_each" || (place === "asked" && asked)
      ? { usage: null }
      : place === "every_chunk"
        ? { usage }
        : {};
  const chunk = (
    index: number,
    delta: Delta,
    finish: string | null,
    more: object = everyUsage,
  ) => ({
    ...base,
    choices: [{ index, delta, logprobs: null, finish_reason: finish }],
    ...more,
  });
  const unfinished = fault.finishReason === "" ? "" : null;
  const deltas = deltasOf(reply);
  const chunks: object[] = [];
  for (const delta of deltas)
    for (let index = 0; index < choices; index++) chunks.push(chunk(index, delta, unfinished));
  for (let index = 0; index < choices; index++) {
    const last = index === choices - 1 && place === "last_content" ? { usage } : everyUsage;
    chunks.push(chunk(index, {}, reply.finishReason, last));
  }
  if (place === "always" || (place === "asked" && asked))
    chunks.push({ ...base, choices: [], usage });
  return chunks;
}

function deltasOf({ toolCalls, pieces }: Reply): Delta[] {
  const content = pieces.map((piece) => ({ content: piece }));
  if (toolCalls.length === 0)
    return [{ role: "assistant", content: "", refusal: null }, ...content];
  const opening = toolCalls.map(({ id, name }, index) => ({
    tool_calls: [{ index, id, type: "function" as const, function: { name, arguments: "" } }],
  }));
  const [first, ...others] = opening;
  const parts = toolCalls.flatMap(({ argumentPieces }, index) =>
    argumentPieces.map((text) => ({ tool_calls: [{ index, function: { arguments: text } }] })),
  );
  return [...content, { role: "assistant", content: null, ...first }, ...others, ...parts];
}

const DIMENSIONS = 8;

/** Embeddings that depend on the text alone, as floats or in base64. */
export function embeddingsOf(request: OpenAI.EmbeddingCreateParams, fault: Fault): object {
  const inputs = inputsOf(request.input);
  const data = inputs.map((input, index) => {
    const vector = vectorOf(JSON.stringify(input), request.dimensions ?? DIMENSIONS);
    const embedding =
      request.encoding_format === "base64"
        ? Buffer.from(new Float32Array(vector).buffer).toString("base64")
        : vector;
    return { object: "embedding", index, embedding };
  });
  const tokens = inputs.length * PROMPT_TOKENS;
  const usage = { prompt_tokens: tokens, total_tokens: tokens };
  return {
    object: "list",
    data,
    model: request.model,
    ...(fault.usage === "never" ? {} : { usage }),
  };
}

/** A text or a list of tokens is one input; a list of those is many. */
function inputsOf(input: OpenAI.EmbeddingCreateParams["input"]): unknown[] {
  return typeof input === "string" || typeof input[0] === "number" ? [input] : [...input];
}

/** The components of a text's vector: exact in 32 bits, so that both encodings say the same. */
export function vectorOf(text: string, dimensions: number): number[] {
  let state = 2166136261;
  for (const character of text)
    state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 16777619);
  return Array.from({ length: dimensions }, () => {
    state = Math.imul(state, 1664525) + 1013904223;
    return ((state >>> 16) % 1024) / 1024 - 0.5;
  });
}
