import type { SseEvent } from "../../../chat/sse.ts";
import { type Fields, objectOf } from "../../../chat/loose-json.ts";
import { ChunkWriter, DONE, type FinishReason, streamError } from "../canonical-answer.ts";
import type { KindRequest, StreamTranslator } from "../kind.ts";
import { finishReason, refusalOf, toUsage } from "./usage.ts";

/** A block of the answer while it is being written. */
interface OpenBlock {
  type: unknown;
  /** Of a call: its place among the calls, and whether any of its input came. */
  call: number;
  hasInput: boolean;
  /** Of a thought: what has to be given back later. */
  thought: Fields;
}

/**
 * Turns the events of the Messages API into canonical chunks, https://platform.claude.com/docs/en/build-with-claude/streaming.
 * The answer's end is said only at `message_stop`: all that stops before it was cut.
 */
export class MessageTranslator implements StreamTranslator {
  private readonly writer: ChunkWriter;
  private readonly blocks = new Map<unknown, OpenBlock>();
  private readonly thoughts: Fields[] = [];
  private calls = 0;
  private usage: Fields = {};
  private finish: FinishReason = "stop";
  private refusal: string | null = null;

  constructor(request: KindRequest) {
    this.writer = new ChunkWriter(request);
  }

  push({ data }: SseEvent): string {
    const event = objectOf(JSON.parse(data ?? "null"));
    switch (event["type"]) {
      case "message_start":
        return this.start(objectOf(event["message"]));
      case "content_block_start":
        return this.startBlock(event["index"], objectOf(event["content_block"]));
      case "content_block_delta":
        return this.addTo(event["index"], objectOf(event["delta"]));
      case "content_block_stop":
        return this.stopBlock(event["index"]);
      case "message_delta":
        return this.note(event);
      case "message_stop":
        return this.stop();
      case "error":
        return errorOf(objectOf(event["error"]));
      default:
        return ""; // `ping`, and what may come to be
    }
  }

  end(): string {
    return "";
  }

  private start(message: Fields): string {
    if (typeof message["id"] === "string") this.writer.id = message["id"];
    this.usage = objectOf(message["usage"]);
    return this.writer.delta({ role: "assistant", content: "" });
  }

  private startBlock(index: unknown, block: Fields): string {
    const { type } = block;
    const isCall = type === "tool_use";
    this.blocks.set(index, {
      type,
      call: isCall ? this.calls++ : -1,
      hasInput: false,
      thought: type === "thinking" || type === "redacted_thinking" ? { ...block } : {},
    });
    if (type === "text" && block["text"]) return this.writer.delta({ content: block["text"] });
    if (!isCall) return "";
    const { id, name } = block;
    return this.call(this.calls - 1, { id, type: "function", function: { name, arguments: "" } });
  }

  private addTo(index: unknown, delta: Fields): string {
    const block = this.blocks.get(index);
    if (!block) throw new Error("A delta came for a block that was not begun");
    const { thought } = block;
    switch (delta["type"]) {
      case "text_delta":
        return this.writer.delta({ content: delta["text"] });
      case "thinking_delta":
        thought["thinking"] = String(thought["thinking"] ?? "") + String(delta["thinking"]);
        return this.writer.delta({ reasoning_content: delta["thinking"] });
      case "signature_delta":
        thought["signature"] = String(thought["signature"] ?? "") + String(delta["signature"]);
        return "";
      case "input_json_delta":
        return this.addInput(block, delta["partial_json"]);
      default:
        return "";
    }
  }

  private addInput(block: OpenBlock, json: unknown): string {
    if (json === "" || block.call === -1) return "";
    block.hasInput = true;
    return this.call(block.call, { function: { arguments: json } });
  }

  private stopBlock(index: unknown): string {
    const block = this.blocks.get(index);
    this.blocks.delete(index);
    if (block?.thought["type"]) this.thoughts.push(block.thought);
    // A call without input comes without a delta, but its arguments are an empty object.
    if (!block || block.call === -1 || block.hasInput) return "";
    return this.call(block.call, { function: { arguments: "{}" } });
  }

  private note(event: Fields): string {
    const delta = objectOf(event["delta"]);
    this.finish = finishReason(delta["stop_reason"]);
    this.refusal = refusalOf(delta);
    for (const [name, value] of Object.entries(objectOf(event["usage"])))
      if (value !== null) this.usage[name] = value; // its counts are totals, not additions
    return "";
  }

  private stop(): string {
    const kept = this.thoughts;
    const last = {
      ...(this.refusal === null ? {} : { refusal: this.refusal }),
      ...(kept.length > 0 ? { extra_content: { anthropic: { thinking_blocks: kept } } } : {}),
    };
    const { writer } = this;
    return writer.delta(last, 0, this.finish) + writer.usage(toUsage(this.usage)) + DONE;
  }

  private call(index: number, call: Fields): string {
    return this.writer.delta({ tool_calls: [{ index, ...call }] });
  }
}

function errorOf({ type, message }: Fields): string {
  return streamError(String(type ?? "api_error"), String(message ?? "The provider failed."));
}
