import { z } from "zod";
import { SseScanner } from "../chat/sse.ts";
import { CallGatherer, type ToolCall, toolCallShape } from "./tool-calls.ts";

/** The longest reply that is kept, in UTF-16 units; a model that goes on after it is cut off with the reason "length". */
export const REPLY_LIMIT = 2_000_000;

/** What a model said, as far as it has come. */
export interface Reply {
  text: string;
  finishReason: string | null;
  /** Tools that it wants to be called before it goes on. */
  calls: ToolCall[];
  /** What its provider wants back with the message, such as signed thoughts; see ADR 58. */
  extra: unknown;
}

/** A text, or parts of one as some providers send it. */
const text = z
  .union([
    z.string(),
    z
      .array(z.looseObject({ text: z.string().nullish() }))
      .transform((parts) => parts.map((part) => part.text ?? "").join("")),
  ])
  .nullish();
const said = z
  .looseObject({
    content: text,
    refusal: text,
    tool_calls: z.array(toolCallShape).nullish(),
    extra_content: z.unknown().optional(),
  })
  .nullish();
const finishReason = z.string().nullish();
const completion = z.looseObject({
  choices: z.array(z.looseObject({ message: said, finish_reason: finishReason })).nullish(),
});
const chunk = z.looseObject({
  choices: z.array(z.looseObject({ delta: said, finish_reason: finishReason })).nullish(),
});

/** Reads the reply out of a chat completion's JSON, leniently: what is not there is empty. */
export function readReply(body: string): Reply {
  const parsed = completion.safeParse(parseJson(body));
  const choice = parsed.data?.choices?.[0];
  const text = choice?.message?.content || choice?.message?.refusal || "";
  const calls = new CallGatherer();
  for (const [index, call] of (choice?.message?.tool_calls ?? []).entries())
    calls.take({ ...call, index });
  const rest = { calls: calls.all(), extra: choice?.message?.extra_content };
  if (text.length > REPLY_LIMIT)
    return { text: text.slice(0, REPLY_LIMIT), finishReason: "length", ...rest };
  return { text, finishReason: choice?.finish_reason ?? "stop", ...rest };
}

/** Reads a stream of chat completion chunks. */
export class ReplyReader {
  private text = "";
  private finishReason: string | null = null;
  private extra: unknown = undefined;
  private readonly calls = new CallGatherer();
  private readonly scanner = new SseScanner();
  private readonly limit: number;

  /** @param limit the longest text that is read, in UTF-16 units */
  constructor(limit = REPLY_LIMIT) {
    this.limit = limit;
  }

  get reply(): Reply {
    const { text, finishReason, extra } = this;
    return { text, finishReason, calls: this.calls.all(), extra };
  }

  /** Whether the reply has grown as long as one may be. */
  get full(): boolean {
    return this.text.length >= this.limit;
  }

  /** Takes bytes of the stream, or its end, and gives the text that they add to the reply. */
  take(bytes: Uint8Array | null): string {
    let added = "";
    for (const event of bytes === null ? this.scanner.end() : this.scanner.push(bytes))
      if (event.data !== null) added += this.read(event.data);
    added = added.slice(0, this.limit - this.text.length);
    this.text += added;
    if (this.full) this.finishReason = "length";
    return added;
  }

  private read(data: string): string {
    const choice = chunk.safeParse(parseJson(data)).data?.choices?.[0];
    if (!choice) return "";
    const { delta } = choice;
    for (const call of delta?.tool_calls ?? []) this.calls.take(call);
    if (delta?.extra_content !== undefined) this.extra = delta.extra_content;
    if (choice.finish_reason) this.finishReason = choice.finish_reason;
    return delta?.content || delta?.refusal || "";
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // `[DONE]`, a comment, or nothing of ours
  }
}
