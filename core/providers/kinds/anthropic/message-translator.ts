import type { SseEvent } from "../../../chat/sse.ts";
import { type Fields, objectOf } from "../../../chat/loose-json.ts";
import { ChunkWriter, DONE, type FinishReason, streamError } from "../canonical-answer.ts";
import type { KindRequest, StreamTranslator } from "../kind.ts";
import { isThought, keptOf } from "./order.ts";
import { finishReason, refusalOf, toUsage } from "./usage.ts";

/** A block of the answer while it is being written. */
interface OpenBlock {
  type: unknown;
  /** Of a call: its place among the calls, and whether any of its input came. */
  call: number;
  hasInput: boolean;
  /** The block as it stands: a thought has to be given back whole, of others the order counts. */
  block: Fields;
}

/**
 * Turns the events of the Messages API into canonical chunks, https://platform.claude.com/docs/en/build-with-claude/streaming.
 * The answer's end is said only at `message_stop`: all that stops before it was cut.
 */
export class MessageTranslator implements StreamTranslator {
  private readonly writer: ChunkWriter;
  private readonly blocks = new Map<unknown, OpenBlock>();
  private readonly written: Fields[] = [];
  private calls = 0;
  private usage: Fields = {};
  private finish: FinishReason = "stop";
  private refusal: string | null = null;
  private stopSequence: string | null = null;

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
      block: { ...block },
    });
    if (type === "text" && block["text"]) return this.writer.delta({ content: block["text"] });
    if (!isCall) return "";
    const { id, name } = block;
    return this.call(this.calls - 1, { id, type: "function", function: { name, arguments: "" } });
  }

  private addTo(index: unknown, delta: Fields): string {
    const open = this.blocks.get(index);
    if (!open) throw new Error("A delta came for a block that was not begun");
    const { block } = open;
    const add = (name: string) => {
      block[name] = String(block[name] ?? "") + String(delta[name]);
    };
    switch (delta["type"]) {
      case "text_delta":
        add("text");
        return this.writer.delta({ content: delta["text"] });
      case "thinking_delta":
        add("thinking");
        return this.writer.delta({ reasoning_content: delta["thinking"] });
      case "signature_delta":
        add("signature");
        return "";
      case "input_json_delta":
        return this.addInput(open, delta["partial_json"]);
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
    const open = this.blocks.get(index);
    this.blocks.delete(index);
    if (!open) return "";
    const { block, call } = open;
    this.written.push(block);
    // For clients of Anthropic's shape, which need it here; all of them come once more at the end, in their order.
    if (isThought(block))
      return this.writer.delta({ extra_content: { anthropic: { thinking_block: block } } });
    // A call without input comes without a delta, but its arguments are an empty object.
    return call === -1 || open.hasInput ? "" : this.call(call, { function: { arguments: "{}" } });
  }

  private note(event: Fields): string {
    const delta = objectOf(event["delta"]);
    this.finish = finishReason(delta["stop_reason"]);
    this.refusal = refusalOf(delta);
    const { stop_sequence: stopSequence } = delta;
    this.stopSequence = typeof stopSequence === "string" ? stopSequence : null;
    for (const [name, value] of Object.entries(objectOf(event["usage"])))
      if (value !== null) this.usage[name] = value; // its counts are totals, not additions
    return "";
  }

  private stop(): string {
    const last = {
      ...(this.refusal === null ? {} : { refusal: this.refusal }),
      ...keptOf(this.written),
    };
    const { writer, stopSequence } = this;
    const end =
      stopSequence === null
        ? writer.delta(last, 0, this.finish)
        : writer.stopped(last, stopSequence);
    return end + writer.usage(toUsage(this.usage)) + DONE;
  }

  private call(index: number, call: Fields): string {
    return this.writer.delta({ tool_calls: [{ index, ...call }] });
  }
}

function errorOf({ type, message }: Fields): string {
  return streamError(String(type ?? "api_error"), String(message ?? "The provider failed."));
}
