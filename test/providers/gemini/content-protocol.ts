import { createHash } from "node:crypto";
import { vectorOf } from "../completion-protocol.ts";
import { exampleOf, type Fields, fields, list, Refused } from "../expectations.ts";
import type { Fault } from "../fault.ts";
import type { FramedStream } from "../fault-writer.ts";
import { isBeforeThree } from "./request-rules.ts";

/** What every request is said to have had as input, and how much of it Google had cached by itself. */
export const INPUT_TOKENS = 13;
export const CACHED_TOKENS = 4;
const THOUGHT_TOKENS = 6;

interface Reply {
  model: string;
  /** The parts of each candidate. */
  candidates: { parts: Fields[]; finishReason: string }[];
  blockReason: string | null;
  usage: Fields;
}

export const signatureOf = (call: string) => createHash("sha1").update(call).digest("base64");

/**
 * The model thinks where thoughts are asked for, calls every tool that it may call, writes what a schema says, tells of
 * tools' results, counts pictures, or echoes. A scripted `finishReason` of `BLOCKED` blocks the prompt.
 */
export function replyTo(body: Fields, model: string, fault: Fault): Reply {
  const config = fields(body["generationConfig"] ?? {}, "config");
  const { includeThoughts } = fields(config["thinkingConfig"] ?? {}, "thinking");
  const calls = fault.pieces ? [] : callsFor(body, model);
  const said =
    calls.length > 0
      ? { parts: calls, tokens: calls.length * 4, cut: false }
      : textFor(body, config, fault);
  const thoughts = includeThoughts === true ? [{ text: "Let me think.", thought: true }] : [];
  const finishReason = fault.finishReason ?? (said.cut ? "MAX_TOKENS" : "STOP");
  const blocked = finishReason === "BLOCKED";
  const count = typeof config["candidateCount"] === "number" ? config["candidateCount"] : 1;
  const candidate = { parts: [...thoughts, ...said.parts], finishReason };
  const written = said.tokens * count;
  const thinking = thoughts.length > 0 ? THOUGHT_TOKENS : 0;
  return {
    model,
    candidates: blocked ? [] : Array.from({ length: count }, () => candidate),
    blockReason: blocked ? "PROHIBITED_CONTENT" : null,
    usage: {
      promptTokenCount: INPUT_TOKENS,
      cachedContentTokenCount: CACHED_TOKENS,
      ...(blocked ? {} : { candidatesTokenCount: written }),
      ...(thinking > 0 ? { thoughtsTokenCount: thinking } : {}),
      totalTokenCount: INPUT_TOKENS + thinking + (blocked ? 0 : written),
    },
  };
}

function callsFor(body: Fields, model: string): Fields[] {
  const declared = list(body["tools"] ?? [], "tools").flatMap((tool) =>
    list(fields(tool, "tool")["functionDeclarations"], "declarations").map((one) =>
      fields(one, "one"),
    ),
  );
  const config = fields(
    fields(body["toolConfig"] ?? {}, "config")["functionCallingConfig"] ?? { mode: "AUTO" },
    "calling",
  );
  if (config["mode"] === "NONE") return [];
  if (config["mode"] === "AUTO" && responses(body).length > 0) return [];
  const allowed = list(config["allowedFunctionNames"] ?? declared.map(({ name }) => name), "names");
  return declared
    .filter(({ name }) => allowed.includes(name))
    .map(({ name, parametersJsonSchema: schema }, index) => ({
      functionCall: {
        id: `fc_${index + 1}`,
        name,
        args: schema === undefined ? {} : exampleOf(schema),
      },
      // Of parallel calls only the first is signed; generations before 3 sign none that they insist on.
      ...(index === 0 && !isBeforeThree(model)
        ? { thoughtSignature: signatureOf(String(name)) }
        : {}),
    }));
}

function textFor(body: Fields, config: Fields, fault: Fault) {
  const words = fault.pieces ?? sentenceFor(body, config).match(/\s*\S+/g) ?? [""];
  const limit = Number(config["maxOutputTokens"] ?? Infinity);
  const text = words.slice(0, limit).join("");
  const stops = list(config["stopSequences"] ?? [], "stops").map(String);
  const found = stops.find((stop) => text.includes(stop));
  const written = found === undefined ? text : text.slice(0, text.indexOf(found));
  const pieces = written.match(/\s*\S+\s*?/g) ?? [];
  return {
    parts: pieces.map((piece) => ({ text: piece })),
    tokens: pieces.length,
    cut: words.length > limit,
  };
}

function sentenceFor(body: Fields, config: Fields): string {
  if (config["responseJsonSchema"] !== undefined)
    return JSON.stringify(exampleOf(config["responseJsonSchema"]));
  if (config["responseMimeType"] === "application/json") return '{"said": "json"}';
  const answered = responses(body);
  if (answered.length > 0) {
    const results = answered.map(({ response }) => JSON.stringify(fields(response, "response")));
    return `The tools said: ${results.join(" and ")}`;
  }
  const parts = lastParts(body);
  const pictures = parts.filter(({ inlineData, fileData }) => inlineData ?? fileData).length;
  const said = parts.flatMap(({ text }) => (typeof text === "string" ? [text] : [])).join(" ");
  return pictures > 0 ? `You sent ${pictures} images and said: ${said}` : `You said: ${said}`;
}

const lastParts = (body: Fields) =>
  list(fields(list(body["contents"], "contents").at(-1), "content")["parts"], "parts").map((part) =>
    fields(part, "part"),
  );
const responses = (body: Fields) =>
  lastParts(body).flatMap(({ functionResponse }) =>
    functionResponse ? [fields(functionResponse, "response")] : [],
  );

const frameOf = ({ model, usage, blockReason }: Reply, candidates: Fields[]): Fields => ({
  ...(candidates.length > 0 ? { candidates } : {}),
  ...(blockReason === null ? {} : { promptFeedback: { blockReason } }),
  usageMetadata: usage,
  modelVersion: model,
  responseId: "mAitaLmkHPPlz7IPvtfUqQ4",
});

/** A reply in one piece. */
export function contentOf(reply: Reply): Fields {
  const candidates = reply.candidates.map(({ parts, finishReason }, index) => ({
    content: { parts: joined(parts), role: "model" },
    finishReason,
    index,
  }));
  return frameOf(reply, candidates);
}

/** Texts of one candidate come as one part where they are not streamed. */
function joined(parts: Fields[]): Fields[] {
  const said = parts.filter(({ text, thought }) => text !== undefined && thought !== true);
  const others = parts.filter((part) => !said.includes(part));
  const text = said.map((part) => String(part["text"])).join("");
  return text === "" ? others : [...others, { text }];
}

/** A reply as its events: each is a whole answer with a piece of the text, and none is the last. */
export function framesOf(reply: Reply): FramedStream {
  const write = (answer: Fields) => `data: ${JSON.stringify(answer)}\r\n\r\n`;
  const longest = Math.max(1, ...reply.candidates.map(({ parts }) => parts.length));
  const frames = Array.from({ length: longest }, (_, place) => {
    const candidates = reply.candidates.map(({ parts, finishReason }, index) => ({
      content: { parts: [parts[place] ?? { text: "" }], role: "model" },
      ...(place === longest - 1 ? { finishReason } : {}),
      index,
    }));
    return write(frameOf(reply, candidates));
  });
  const error = {
    code: 503,
    message: "The model is overloaded. Please try again later.",
    status: "UNAVAILABLE",
  };
  return { frames, opening: 0, error: write({ error }) };
}

/** https://ai.google.dev/api/embeddings */
export function embeddingsOf(body: Fields, model: string): Fields {
  const requests = list(body["requests"], "requests must be a list").map((value) =>
    fields(value, "request"),
  );
  const embeddings = requests.map((request) => {
    if (request["model"] !== `models/${model}`)
      throw new Refused(
        "* BatchEmbedContentsRequest.requests[0].model: must be the same as the model of the request",
      );
    const [part] = list(fields(request["content"], "content")["parts"], "parts");
    const size = request["outputDimensionality"];
    return {
      values: vectorOf(String(fields(part, "part")["text"]), typeof size === "number" ? size : 8),
    };
  });
  return { embeddings };
}
