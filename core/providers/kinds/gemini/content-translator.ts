import type { SseEvent } from "../../../chat/sse.ts";
import { type Fields, listOf, objectOf } from "../../../chat/loose-json.ts";
import { ChunkWriter, DONE, streamError } from "../canonical-answer.ts";
import type { KindRequest, StreamTranslator } from "../kind.ts";
import {
  blockedSentence,
  isFailure,
  readCandidate,
  type Said,
  signedBy,
  toFinishReason,
  toUsage,
} from "./candidate.ts";

/** One of the answers that are written at once. */
interface Choice {
  begun: boolean;
  calls: number;
  finish: string | null;
}

/**
 * Turns the events of streamGenerateContent, each a whole answer with a piece of the text, into canonical chunks. The
 * protocol has no last event: a stream is whole when all its candidates said why they ended, and then came to its end.
 */
export class ContentTranslator implements StreamTranslator {
  private readonly writer: ChunkWriter;
  private readonly oneCall: boolean;
  private readonly choices = new Map<number, Choice>();
  private usage: Fields | null = null;
  private madeIds = 0;
  private failed = false;

  /** @param oneCall whether all calls but the first are left out */
  constructor(request: KindRequest, oneCall: boolean) {
    this.writer = new ChunkWriter(request);
    this.oneCall = oneCall;
    const { n } = request.raw;
    for (let index = 0; index < (typeof n === "number" ? n : 1); index++)
      this.choices.set(index, { begun: false, calls: 0, finish: null });
  }

  push({ data }: SseEvent): string {
    const answer = objectOf(JSON.parse(data ?? "null"));
    if (this.failed) return "";
    if (answer["error"]) return this.fail(objectOf(answer["error"]));
    if (typeof answer["responseId"] === "string") this.writer.id = answer["responseId"];
    if (answer["usageMetadata"]) this.usage = objectOf(answer["usageMetadata"]);
    const candidates = listOf(answer["candidates"]).map(objectOf);
    const blocked = candidates.length === 0 ? blockedSentence(answer) : null;
    if (blocked !== null) return this.block(blocked);
    return candidates
      .map((candidate) =>
        this.say(
          candidate["index"],
          readCandidate(candidate, () => this.makeId()),
        ),
      )
      .join("");
  }

  end(): string {
    const choices = [...this.choices.values()];
    if (this.failed || choices.some(({ finish }) => finish === null)) return "";
    const ends = [...this.choices].map(([index, { calls, finish }]) =>
      this.writer.delta({}, index, toFinishReason(finish ?? "", calls > 0)),
    );
    const usage = this.usage ? this.writer.usage(toUsage(this.usage)) : "";
    return ends.join("") + usage + DONE;
  }

  private say(place: unknown, said: Said): string {
    const index = typeof place === "number" ? place : 0;
    const choice = this.choices.get(index);
    if (!choice) throw new Error("A candidate came that was not asked for");
    if (said.finish !== null && isFailure(said.finish))
      return this.fail({
        status: said.finish,
        message: "The model made a call that makes no sense.",
      });
    choice.finish = said.finish ?? choice.finish;
    const delta: Fields = {
      ...(choice.begun ? {} : { role: "assistant" }),
      ...(said.thoughts === "" ? {} : { reasoning_content: said.thoughts }),
      ...(said.text === "" ? {} : { content: said.text }),
      ...this.calls(said, choice),
      ...(said.signature === null ? {} : signedBy(said.signature)),
    };
    if (Object.keys(delta).length === 0) return "";
    choice.begun = true;
    return this.writer.delta(delta, index);
  }

  private calls({ calls }: Said, choice: Choice): Fields {
    const free = this.oneCall ? Math.max(0, 1 - choice.calls) : calls.length;
    const kept = calls.slice(0, free).map((call) => ({ index: choice.calls++, ...call }));
    return kept.length > 0 ? { tool_calls: kept } : {};
  }

  private block(refusal: string): string {
    for (const choice of this.choices.values()) choice.finish = "SAFETY";
    return this.writer.delta({ role: "assistant", refusal });
  }

  private fail({ status, message }: Fields): string {
    this.failed = true;
    return streamError(String(status ?? "INTERNAL"), String(message ?? "The provider failed."));
  }

  private makeId(): string {
    return `call_${this.writer.id}_${this.madeIds++}`;
  }
}
