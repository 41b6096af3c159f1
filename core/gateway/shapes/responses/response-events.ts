import type { Fields } from "../../../chat/loose-json.ts";
import type { CanonicalPart, CanonicalToolCall, CanonicalUsage } from "../canonical.ts";
import type { EventWriter, StreamFault } from "../translate-stream.ts";
import {
  endOf,
  idOf,
  type ItemStatus,
  keptResponse,
  reasoningPart,
  refusalPart,
  type ResponseFrame,
  responseObject,
  textPart,
  usageOf,
} from "./response.ts";

type PartKind = "output_text" | "refusal" | "reasoning_text";

/** The item that is being written: parts of text, or a call's arguments. */
interface OpenItem {
  index: number;
  /** All of it but its content and status. */
  head: Fields & { id: string };
  /** The parts that are finished. */
  parts: Fields[];
  kind: PartKind | "arguments";
  /** What the open part, or the arguments, hold so far. */
  pieces: string[];
  /** The place that the provider gave the call. */
  place: number | null;
}

const PARTS = { output_text: textPart, refusal: refusalPart, reasoning_text: reasoningPart };

/** Writes a streamed answer as the events of OpenAI's Responses API. */
export class ResponseEvents implements EventWriter {
  private sequence = 0;
  private begun = false;
  private broken = false;
  private model: string | null = null;
  private open: OpenItem | null = null;
  private readonly output: Fields[] = [];
  private readonly calls = new Set<number>();
  private readonly unnamed = new Map<number, CanonicalToolCall>();
  private finishReason: string | null = null;
  private usage: CanonicalUsage | null = null;
  private readonly written: string[] = [];
  private readonly frame: ResponseFrame;
  /** The whole response, which its last event tells. */
  private whole: Fields | null = null;

  constructor(frame: ResponseFrame) {
    this.frame = frame;
  }

  chunk(part: CanonicalPart): string {
    if (this.broken) return "";
    let events = this.begin(part.model);
    if (part.reasoning !== "") events += this.write("reasoning_text", part.reasoning);
    if (part.text !== "") events += this.write("output_text", part.text);
    if (part.refusal !== "") events += this.write("refusal", part.refusal);
    for (const call of part.toolCalls) if (!this.broken) events += this.call(call);
    if (part.finishReason !== null) this.finishReason = part.finishReason;
    if (part.usage !== null) this.usage = part.usage;
    return events;
  }

  end(): string {
    if (this.broken) return "";
    if (this.unnamed.size > 0) return this.breakOff("The model called a tool without its name.");
    const ended = endOf(this.finishReason);
    const before = this.begin(null) + this.close(ended.status);
    const usage = usageOf(this.usage, this.frame, this.written.join(""));
    this.whole = this.response({ ...ended, output: this.output, usage });
    return before;
  }

  /** Whoever has read the last event can rely on what it says of keeping. */
  async afterEnd(): Promise<string> {
    if (this.whole === null) return "";
    const response = await keptResponse(this.whole, this.frame);
    return this.event(`response.${String(response["status"])}`, { response });
  }

  /** Clients that follow the official one throw at `error`; `response.failed` tells those that only look at states. */
  fail({ code, message }: StreamFault): string {
    if (this.broken) return "";
    const before = this.begin(null);
    this.broken = true;
    if (this.open) this.output.push(this.itemOf(this.open, "incomplete"));
    const known = code === "provider_rate_limited" ? "rate_limit_exceeded" : "server_error";
    const failed = { status: "failed", output: this.output, error: { code: known, message } };
    return (
      before +
      this.event("error", { code, message, param: null }) +
      this.event("response.failed", { response: this.response(failed) })
    );
  }

  private begin(model: string | null): string {
    if (this.begun) return "";
    this.begun = true;
    this.model = model;
    const response = this.response({});
    return (
      this.event("response.created", { response }) +
      this.event("response.in_progress", { response })
    );
  }

  private write(kind: PartKind, delta: string): string {
    const events = this.open?.kind === kind ? "" : this.openPart(kind);
    const logprobs = kind === "output_text" ? { logprobs: [] } : {};
    return events + this.add(delta, `response.${kind}.delta`, { ...logprobs });
  }

  /** A new part of the message that is open, or a new item. */
  private openPart(kind: PartKind): string {
    const goesOn =
      this.open !== null && this.open.head["type"] === "message" && kind !== "reasoning_text";
    let events = goesOn ? this.closePart() : this.close("completed");
    if (this.open === null) {
      const head =
        kind === "reasoning_text"
          ? { type: "reasoning", summary: [] }
          : { type: "message", role: "assistant" };
      events += this.openItem(kind === "reasoning_text" ? "rs" : "msg", head, kind, null);
    } else this.open.kind = kind;
    return events + this.event("response.content_part.added", this.at({ part: PARTS[kind]("") }));
  }

  /** Items come one after the other; a call that goes on after the next has begun cannot be written any more. */
  private call(call: CanonicalToolCall): string {
    const { index: place } = call;
    if (!this.calls.has(place)) return this.beginCall(call);
    if (call.arguments === "") return "";
    if (this.open?.place !== place)
      return this.breakOff("The model mixed up the calls of several tools.");
    return this.add(call.arguments, "response.function_call_arguments.delta", {});
  }

  private beginCall(call: CanonicalToolCall): string {
    const { index: place } = call;
    const known = this.unnamed.get(place);
    const name = call.name ?? known?.name ?? null;
    const id = call.id ?? known?.id ?? null;
    const text = (known?.arguments ?? "") + call.arguments;
    if (name === null) {
      this.unnamed.set(place, { index: place, id, name, arguments: text });
      return "";
    }
    this.unnamed.delete(place);
    const callId = id ?? `${idOf("call", this.frame)}_${this.calls.size}`;
    this.calls.add(place);
    this.written.push(name);
    const head = { type: "function_call", call_id: callId, name };
    const begun = this.close("completed") + this.openItem("fc", head, "arguments", place);
    if (text === "") return begun;
    return begun + this.add(text, "response.function_call_arguments.delta", {});
  }

  private openItem(
    prefix: string,
    fields: Fields,
    kind: OpenItem["kind"],
    place: number | null,
  ): string {
    const index = this.output.length;
    const head = { id: `${idOf(prefix, this.frame)}_${index}`, ...fields };
    this.open = { index, head, parts: [], kind, pieces: [], place };
    const item = this.itemOf(this.open, "in_progress");
    return this.event("response.output_item.added", { output_index: index, item });
  }

  private add(delta: string, type: string, more: Fields): string {
    this.open?.pieces.push(delta);
    this.written.push(delta);
    return this.event(type, this.at({ delta, ...more }));
  }

  private close(status: ItemStatus): string {
    const events = this.closePart();
    const { open } = this;
    if (!open) return "";
    const item = this.itemOf(open, status);
    this.output.push(item);
    this.open = null;
    return events + this.event("response.output_item.done", { output_index: open.index, item });
  }

  private closePart(): string {
    const { open } = this;
    if (!open) return "";
    const text = open.pieces.join("");
    if (open.kind === "arguments") {
      const done = this.at({ arguments: text, name: open.head["name"] });
      return this.event("response.function_call_arguments.done", done);
    }
    const part = PARTS[open.kind](text);
    const said = open.kind === "refusal" ? { refusal: text } : { text };
    const logprobs = open.kind === "output_text" ? { logprobs: [] } : {};
    const events =
      this.event(`response.${open.kind}.done`, this.at({ ...said, ...logprobs })) +
      this.event("response.content_part.done", this.at({ part }));
    open.parts.push(part);
    open.pieces = [];
    return events;
  }

  /** Where in the answer an event belongs. */
  private at(fields: Fields): Fields {
    const { open } = this;
    const place = open?.kind === "arguments" ? {} : { content_index: open?.parts.length ?? 0 };
    return { item_id: open?.head.id, output_index: open?.index, ...place, ...fields };
  }

  private itemOf({ head, kind, parts, pieces }: OpenItem, status: ItemStatus): Fields {
    const text = pieces.join("");
    if (kind === "arguments") return { ...head, arguments: text, status };
    const content = text === "" ? [...parts] : [...parts, PARTS[kind](text)];
    return { ...head, content, status };
  }

  private response(more: Fields): Fields {
    return responseObject(this.frame, this.model, more);
  }

  private breakOff(message: string): string {
    return this.fail({ code: "provider_error", message: `${message} Try again.` });
  }

  private event(type: string, fields: Fields): string {
    const data = { type, sequence_number: this.sequence++, ...fields };
    return `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
  }
}
