import type { Fields } from "../fields.ts";
import type { CanonicalPart, CanonicalToolCall, CanonicalUsage } from "../canonical.ts";
import type { EventWriter, StreamFault } from "../translate-stream.ts";
import { writeErrorBody } from "./error-body.ts";
import { deltaUsage, emptyMessage, estimatedUsage, type MessageFrame, stopOf } from "./message.ts";
import { REASONING_SIGNATURE } from "./reasoning-signature.ts";
import { toolIdOf } from "./write-message.ts";

/** How much text is kept to estimate the output by where the provider counts none, in characters. */
const KEPT_LIMIT = 2_000_000;

/** A block that is being written. A tool's place is the one that the provider gave its call. */
type OpenBlock = { type: "text" | "thinking" } | { type: "tool_use"; place: number };

/** Writes a streamed answer as the events of Anthropic's Messages API. */
export class MessageEvents implements EventWriter {
  private begun = false;
  private index = -1;
  private open: OpenBlock | null = null;
  /** What the open thought says. */
  private thought = "";
  /** The calls whose block has begun; of others the name is not known yet. */
  private readonly tools = new Set<number>();
  private readonly unnamed = new Map<number, CanonicalToolCall>();
  private refused = false;
  private ending: Pick<CanonicalPart, "finishReason" | "stopSequence"> = {
    finishReason: null,
    stopSequence: null,
  };
  private usage: CanonicalUsage | null = null;
  private readonly written: string[] = [];
  private writtenLength = 0;
  private broken = false;
  private readonly frame: MessageFrame;

  constructor(frame: MessageFrame) {
    this.frame = frame;
  }

  chunk(part: CanonicalPart): string {
    if (this.broken) return "";
    let events = this.begin(part.model);
    if (part.reasoning !== "") events += this.think(part.reasoning);
    if (part.text !== "") events += this.say(part.text);
    if (part.refusal !== "") {
      this.refused = true;
      events += this.say(part.refusal);
    }
    if (part.anthropic.thinkingBlock !== null) events += this.sign(part.anthropic.thinkingBlock);
    for (const call of part.toolCalls) if (!this.broken) events += this.call(call);
    if (part.finishReason !== null) this.ending = part;
    if (part.usage !== null) this.usage = part.usage;
    return events;
  }

  end(): string {
    if (this.broken) return "";
    if (this.unnamed.size > 0) return this.breakOff("The model called a tool without its name.");
    const before = this.begin(null) + this.close();
    const usage = this.usage ?? estimatedUsage(this.frame, this.written.join(""));
    const delta = {
      container: null,
      ...stopOf(this.ending, { calledTool: this.tools.size > 0, refused: this.refused }),
    };
    return (
      before +
      event({ type: "message_delta", delta, usage: deltaUsage(usage) }) +
      event({ type: "message_stop" })
    );
  }

  fail({ code, message }: StreamFault): string {
    if (this.broken) return "";
    this.broken = true;
    return event(writeErrorBody({ code, message }, this.frame.requestId));
  }

  private begin(model: string | null): string {
    if (this.begun) return "";
    this.begun = true;
    const message = emptyMessage(this.frame, model);
    return event({ type: "message_start", message }) + event({ type: "ping" });
  }

  private say(text: string): string {
    const block = { type: "text", text: "", citations: null };
    return this.enter({ type: "text" }, block) + this.delta({ type: "text_delta", text }, text);
  }

  private think(thinking: string): string {
    const block = { type: "thinking", thinking: "", signature: "" };
    const delta = { type: "thinking_delta", thinking };
    const begun = this.enter({ type: "thinking" }, block);
    this.thought += thinking;
    return begun + this.delta(delta, thinking);
  }

  /** Ends a thought with Anthropic's own signature, so that it may be sent back there. */
  private sign(block: Fields): string {
    if (block["type"] === "redacted_thinking") {
      const before = this.close();
      this.index++;
      const start = { type: "content_block_start", index: this.index, content_block: block };
      return before + event(start) + event({ type: "content_block_stop", index: this.index });
    }
    // Guard rails may have changed what it thought: the signature is of other words then.
    if (this.thought !== String(block["thinking"] ?? "")) return this.close();
    // One whose text is not shown has a signature all the same.
    const begun = this.enter(
      { type: "thinking" },
      { type: "thinking", thinking: "", signature: "" },
    );
    return begun + this.close(String(block["signature"] ?? ""));
  }

  /** Blocks come one after the other; a call that goes on after the next has begun cannot be written any more. */
  private call(call: CanonicalToolCall): string {
    const { index: place } = call;
    if (!this.tools.has(place)) return this.beginCall(call);
    if (call.arguments === "") return "";
    if (this.open?.type === "tool_use" && this.open.place === place)
      return this.argue(call.arguments);
    return this.breakOff("The model mixed up the calls of several tools.");
  }

  private beginCall(call: CanonicalToolCall): string {
    const { index: place } = call;
    const known = this.unnamed.get(place);
    const whole = {
      index: place,
      id: call.id ?? known?.id ?? null,
      name: call.name ?? known?.name ?? null,
      arguments: (known?.arguments ?? "") + call.arguments,
    };
    if (whole.name === null) {
      this.unnamed.set(place, whole);
      return "";
    }
    this.unnamed.delete(place);
    const id = toolIdOf(whole, this.frame.requestId, this.tools.size);
    this.tools.add(place);
    this.keep(whole.name);
    const block = {
      type: "tool_use",
      id,
      name: whole.name,
      input: {},
      caller: { type: "direct" },
    };
    const begun = this.enter({ type: "tool_use", place }, block);
    return whole.arguments === "" ? begun : begun + this.argue(whole.arguments);
  }

  private argue(text: string): string {
    return this.delta({ type: "input_json_delta", partial_json: text }, text);
  }

  /** Opens a block, unless the one that is open is the same. */
  private enter(next: OpenBlock, block: object): string {
    const same = this.open !== null && this.open.type === next.type && next.type !== "tool_use";
    if (same) return "";
    const closed = this.close();
    this.open = next;
    this.index++;
    return closed + event({ type: "content_block_start", index: this.index, content_block: block });
  }

  private close(signature = REASONING_SIGNATURE): string {
    if (this.open === null) return "";
    const delta = { type: "signature_delta", signature };
    const signed = this.open.type === "thinking" ? this.delta(delta, "") : "";
    this.open = null;
    this.thought = "";
    return signed + event({ type: "content_block_stop", index: this.index });
  }

  private delta(delta: object, text: string): string {
    this.keep(text);
    return event({ type: "content_block_delta", index: this.index, delta });
  }

  private keep(text: string): void {
    if (this.usage !== null || this.writtenLength > KEPT_LIMIT) return;
    this.written.push(text);
    this.writtenLength += text.length;
  }

  private breakOff(message: string): string {
    return this.fail({ code: "provider_error", message: `${message} Try again.` });
  }
}

const event = <Data extends { type: string }>(data: Data) =>
  `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
