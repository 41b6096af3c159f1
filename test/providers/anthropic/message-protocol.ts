import { createHash } from "node:crypto";
import { exampleOf, type Fields, fields, list } from "../expectations.ts";
import type { Fault } from "../fault.ts";
import type { FramedStream } from "../fault-writer.ts";
import { generationOf } from "./generations.ts";

/** What every request is said to have had as input, apart from what a cache holds. */
export const INPUT_TOKENS = 11;
/** What is said to stand before a request's last mark of the cache. */
export const CACHED_TOKENS = 2_048;
const THINKING_TOKENS = 5;

/** What the model says to a request. */
export interface Reply {
  id: string;
  model: string;
  content: Fields[];
  stopReason: string;
  stopSequence: string | null;
  usage: Fields;
}

/**
 * The model thinks where it is asked to, calls every tool that it may call, writes what a schema says, tells of a tool's
 * result, counts pictures, or echoes.
 * @param cached whether the part before its mark was sent before; null where there is no mark
 */
export function replyTo(body: Fields, fault: Fault, cached: boolean | null): Reply {
  const thoughts = thoughtsFor(body);
  const calls = fault.pieces ? [] : callsFor(body);
  const said = calls.length > 0 ? null : saidTo(body, fault);
  const blocks = [...thoughts, ...(said === null ? calls : [{ type: "text", text: said.text }])];
  const output = (said?.tokens ?? calls.length * 3) + (thoughts.length > 0 ? THINKING_TOKENS : 0);
  const stopReason = said?.stopReason ?? "tool_use";
  return {
    id: `msg_${createHash("sha1").update(JSON.stringify(body)).digest("hex").slice(0, 20)}`,
    model: String(body["model"]),
    content: blocks,
    stopReason: fault.finishReason ?? stopReason,
    stopSequence: said?.stopSequence ?? null,
    usage: {
      input_tokens: INPUT_TOKENS,
      cache_creation_input_tokens: cached === false ? CACHED_TOKENS : 0,
      cache_read_input_tokens: cached === true ? CACHED_TOKENS : 0,
      cache_creation: {
        ephemeral_5m_input_tokens: cached === false && !isLong(body) ? CACHED_TOKENS : 0,
        ephemeral_1h_input_tokens: cached === false && isLong(body) ? CACHED_TOKENS : 0,
      },
      output_tokens: output,
      output_tokens_details: { thinking_tokens: thoughts.length > 0 ? THINKING_TOKENS : 0 },
      service_tier: "standard",
    },
  };
}

/** Whether what is put into the cache stays there for an hour. */
const isLong = (body: Fields) => JSON.stringify(body).includes('"ttl":"1h"');

export const signatureOf = (model: string) =>
  `EqQBCg${createHash("sha1").update(model).digest("base64")}`;

function thoughtsFor(body: Fields): Fields[] {
  const model = String(body["model"]);
  const thinking = fields(body["thinking"] ?? {}, "thinking");
  const { thinksByDefault } = generationOf(model);
  const thinks = body["thinking"] === undefined ? thinksByDefault : thinking["type"] !== "disabled";
  if (!thinks) return [];
  const shown = thinking["display"] === "summarized" || thinking["type"] === "enabled";
  return [
    { type: "thinking", thinking: shown ? "Let me think." : "", signature: signatureOf(model) },
  ];
}

function callsFor(body: Fields): Fields[] {
  const tools = list(body["tools"] ?? [], "tools").map((tool) => fields(tool, "tool"));
  const choice = fields(body["tool_choice"] ?? { type: "auto" }, "tool_choice");
  if (choice["type"] === "none" || (lastResults(body).length > 0 && choice["type"] === "auto"))
    return [];
  const chosen =
    choice["type"] === "tool" ? tools.filter(({ name }) => name === choice["name"]) : tools;
  const calls = choice["disable_parallel_tool_use"] === true ? chosen.slice(0, 1) : chosen;
  return calls.map((tool, index) => ({
    type: "tool_use",
    id: `toolu_${index + 1}`,
    name: tool["name"],
    input: exampleOf(tool["input_schema"]),
  }));
}

function saidTo(body: Fields, fault: Fault) {
  const words = fault.pieces ?? sentenceFor(body).match(/\s*\S+/g) ?? [""];
  const limit = Number(body["max_tokens"]);
  const text = words.slice(0, limit).join("");
  const stops = list(body["stop_sequences"] ?? [], "stop_sequences").map(String);
  const found = stops.find((stop) => text.includes(stop)) ?? null;
  const written = found === null ? text : text.slice(0, text.indexOf(found));
  const cut = words.length > limit ? "max_tokens" : "end_turn";
  return {
    text: written,
    tokens: (written.match(/\s*\S+/g) ?? []).length,
    stopReason: found === null ? cut : "stop_sequence",
    stopSequence: found,
  };
}

function sentenceFor(body: Fields): string {
  const { format } = fields(body["output_config"] ?? {}, "output_config");
  if (format !== undefined) return JSON.stringify(exampleOf(fields(format, "format")["schema"]));
  const results = lastResults(body).map((result) => contentText(result["content"]));
  if (results.length > 0) return `The tools said: ${results.join(" and ")}`;
  const blocks = lastBlocks(body);
  const pictures = blocks.filter(({ type }) => type === "image").length;
  const said = contentText(blocks);
  return pictures > 0 ? `You sent ${pictures} images and said: ${said}` : `You said: ${said}`;
}

function lastBlocks(body: Fields): Fields[] {
  const content = fields(list(body["messages"], "messages").at(-1), "message")["content"];
  if (typeof content === "string") return [{ type: "text", text: content }];
  return list(content, "content").map((block) => fields(block, "block"));
}

const lastResults = (body: Fields) => lastBlocks(body).filter(({ type }) => type === "tool_result");

function contentText(content: unknown): string {
  if (typeof content === "string") return content;
  return list(content ?? [], "content")
    .map((block) => fields(block, "block"))
    .flatMap(({ type, text }) => (type === "text" ? [String(text)] : []))
    .join(" ");
}

/** A reply in one piece. */
export const messageOf = (reply: Reply): Fields => ({
  id: reply.id,
  type: "message",
  role: "assistant",
  model: reply.model,
  content: reply.content,
  stop_reason: reply.stopReason,
  stop_sequence: reply.stopSequence,
  stop_details:
    reply.stopReason === "refusal"
      ? { type: "refusal", category: "cyber", explanation: "This is not something to help with." }
      : null,
  usage: reply.usage,
});

const frame = (event: Fields) =>
  `event: ${String(event["type"])}\ndata: ${JSON.stringify(event)}\n\n`;

/** A reply as its events, https://platform.claude.com/docs/en/build-with-claude/streaming */
export function framesOf(reply: Reply): FramedStream {
  const whole = messageOf(reply);
  const start = {
    ...whole,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    stop_details: null,
  };
  const begun = { ...reply.usage, output_tokens: 1 };
  const frames = [frame({ type: "message_start", message: { ...start, usage: begun } })];
  reply.content.forEach((block, index) => frames.push(...blockFrames(block, index)));
  const { stop_reason, stop_sequence, stop_details } = whole;
  const delta = { stop_reason, stop_sequence, stop_details };
  frames.push(
    frame({ type: "message_delta", delta, usage: reply.usage }),
    frame({ type: "message_stop" }),
  );
  const overloaded = { type: "overloaded_error", message: "Overloaded" };
  // message_start, the first block's start, and a ping come before any content.
  return { frames, opening: 3, error: frame({ type: "error", error: overloaded }) };
}

function blockFrames(block: Fields, index: number): string[] {
  const ping = index === 0 ? [frame({ type: "ping" })] : [];
  const deltas = deltasOf(block).map((delta) =>
    frame({ type: "content_block_delta", index, delta }),
  );
  const start = frame({ type: "content_block_start", index, content_block: emptied(block) });
  return [start, ...ping, ...deltas, frame({ type: "content_block_stop", index })];
}

function emptied(block: Fields): Fields {
  if (block["type"] === "text") return { type: "text", text: "" };
  if (block["type"] === "thinking") return { type: "thinking", thinking: "", signature: "" };
  return { ...block, input: {} };
}

function deltasOf(block: Fields): Fields[] {
  if (block["type"] === "text") {
    const pieces = String(block["text"]).match(/\s*\S+\s*?/g) ?? [];
    return pieces.map((piece) => ({ type: "text_delta", text: piece }));
  }
  if (block["type"] === "thinking") {
    const said = String(block["thinking"]);
    const pieces = said === "" ? [] : [said.slice(0, 4), said.slice(4)];
    return [
      ...pieces.map((piece) => ({ type: "thinking_delta", thinking: piece })),
      { type: "signature_delta", signature: block["signature"] },
    ];
  }
  const json = JSON.stringify(block["input"]);
  const pieces = json === "{}" ? [] : (json.match(/.{1,5}/gs) ?? []);
  return ["", ...pieces].map((piece) => ({ type: "input_json_delta", partial_json: piece }));
}
