import { z } from "zod";
import { SseScanner } from "../chat/sse.ts";

/** The longest reply that is kept, in UTF-16 units; a model that goes on after it is cut off with the reason "length". */
export const REPLY_LIMIT = 2_000_000;

/** What a model said, as far as it has come. */
export interface Reply {
  text: string;
  finishReason: string | null;
}

/** A part of a streamed reply. */
export interface ReplyPart {
  text: string;
  /** Names of tools that the model has called. */
  tools: string[];
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
const toolCalls = z
  .array(z.looseObject({ function: z.looseObject({ name: z.string().nullish() }).nullish() }))
  .nullish();
const said = z.looseObject({ content: text, refusal: text, tool_calls: toolCalls }).nullish();
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
  if (text.length > REPLY_LIMIT)
    return { text: text.slice(0, REPLY_LIMIT), finishReason: "length" };
  return { text, finishReason: choice?.finish_reason ?? "stop" };
}

/** Reads a stream of chat completion chunks. */
export class ReplyReader {
  readonly reply: Reply = { text: "", finishReason: null };
  private readonly scanner = new SseScanner();

  /** Whether the reply has grown as long as one may be. */
  get full(): boolean {
    return this.reply.text.length >= REPLY_LIMIT;
  }

  /** Takes bytes of the stream, or its end, and gives what they add to the reply. */
  take(bytes: Uint8Array | null): ReplyPart {
    const part: ReplyPart = { text: "", tools: [] };
    for (const event of bytes === null ? this.scanner.end() : this.scanner.push(bytes))
      if (event.data !== null) this.read(event.data, part);
    part.text = part.text.slice(0, REPLY_LIMIT - this.reply.text.length);
    this.reply.text += part.text;
    if (this.full) this.reply.finishReason = "length";
    return part;
  }

  private read(data: string, part: ReplyPart): void {
    const choice = chunk.safeParse(parseJson(data)).data?.choices?.[0];
    if (!choice) return;
    const { delta } = choice;
    part.text += delta?.content || delta?.refusal || "";
    for (const call of delta?.tool_calls ?? [])
      if (call.function?.name) part.tools.push(call.function.name);
    if (choice.finish_reason) this.reply.finishReason = choice.finish_reason;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // `[DONE]`, a comment, or nothing of ours
  }
}
