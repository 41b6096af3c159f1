import type { SseEvent } from "../../../chat/sse.ts";
import { type Fields, listOf, objectOf } from "../../../chat/loose-json.ts";
import { type CanonicalUsage, ChunkWriter, DONE, streamError } from "../canonical-answer.ts";
import type { KindRequest, StreamTranslator } from "../kind.ts";
import { finishOf, isCanonical, readOutput } from "./output.ts";

/**
 * Turns the events of a model's stream into canonical chunks: `{"response": "…"}` of older models; newer ones stream
 * chunks already. Both end with `[DONE]`.
 */
export class OutputTranslator implements StreamTranslator {
  private readonly writer: ChunkWriter;
  private readonly request: KindRequest;
  private begun = false;
  private calls = 0;
  private madeIds = 0;
  private usage: CanonicalUsage | null = null;
  /** The last chunks of a newer model, kept until `[DONE]` says that it was whole. */
  private ending = "";
  private canonical = false;

  constructor(request: KindRequest) {
    this.request = request;
    this.writer = new ChunkWriter(request);
  }

  push({ data }: SseEvent): string {
    if (data === "[DONE]") return this.stop();
    const answer = objectOf(JSON.parse(data ?? "null"));
    const errors = listOf(answer["errors"]).map(objectOf);
    const error = answer["error"] ?? errors[0];
    if (error) return errorOf(error);
    return isCanonical(answer) ? this.passOn(answer) : this.say(answer);
  }

  end(): string {
    return "";
  }

  private passOn(chunk: Fields): string {
    this.canonical = true;
    const text = `data: ${JSON.stringify({ ...chunk, model: this.request.model })}\n\n`;
    const choices = listOf(chunk["choices"]).map(objectOf);
    const ends = choices.length === 0 || choices.some((choice) => choice["finish_reason"]);
    if (!ends) return text;
    this.ending += text;
    return "";
  }

  private say(event: Fields): string {
    const output = readOutput(event, () => `call_${this.request.requestId}_${this.madeIds++}`);
    // The last count is the whole one.
    if (output.usage) this.usage = output.usage;
    const calls = output.calls.map((call) => ({ index: this.calls++, ...call }));
    if (output.text === "" && calls.length === 0) return "";
    const delta = {
      ...(this.begun ? {} : { role: "assistant" }),
      ...(output.text === "" ? {} : { content: output.text }),
      ...(calls.length > 0 ? { tool_calls: calls } : {}),
    };
    this.begun = true;
    return this.writer.delta(delta);
  }

  private stop(): string {
    if (this.canonical) return this.ending + DONE;
    const finish = finishOf(this.calls > 0, this.usage, this.request);
    const delta = this.begun ? {} : { role: "assistant", content: "" };
    const usage = this.usage ? this.writer.usage(this.usage) : "";
    return this.writer.delta(delta, 0, finish) + usage + DONE;
  }
}

function errorOf(error: unknown): string {
  if (typeof error === "string") return streamError("api_error", error);
  const { message, code } = objectOf(error);
  return streamError(String(code ?? "api_error"), String(message ?? "The provider failed."));
}
