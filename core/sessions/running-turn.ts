import type { ChatRequest } from "../gateway/chat-request.ts";
import { completeChat } from "../gateway/complete-chat.ts";
import type { ModelAnswer, ModelCall } from "../gateway/model-call.ts";
import { AppError, toAppError } from "../kernel/errors.ts";
import { newId } from "../kernel/ids.ts";
import type { UsageRecord } from "../usage/usage-record.ts";
import type { Begun, KeptAnswer, PromptMessage, SessionStore } from "./session.ts";
import type { Turn, TurnAnswer, TurnPorts, TurnRequest } from "./turn.ts";
import { keepLease } from "./turn-lease.ts";
import { readReply, type Reply, ReplyReader } from "./turn-reply.ts";

interface RunningParts {
  ports: TurnPorts;
  call: ModelCall & { sessionId: string };
  request: TurnRequest;
  store: SessionStore;
  /** Ends the call of the model. */
  hangUp: AbortController;
}

/** A turn that has begun in its session: it ends there too, whatever happens. */
export class RunningTurn {
  private readonly parts: RunningParts;
  /** The session is no longer waiting for this turn. */
  private lost = false;
  /** Why the gateway ended the stream. */
  private failure: AppError | null = null;

  constructor(parts: RunningParts) {
    this.parts = parts;
  }

  async run(model: string, begun: Begun): Promise<Turn> {
    const { ports, call, request, store, hangUp } = this.parts;
    const endLease = keepLease(store, { id: call.requestId, leaseMs: begun.leaseMs }, () => {
      this.lost = true;
      hangUp.abort();
    });
    const stream = request.input.stream === true;
    const chat = chatRequest({ model, messages: begun.messages, stream }, call.endUser);
    try {
      const answer = await completeChat(ports.gateway, call, chat, (error) => this.failed(error));
      const ended = this.end(answer, model).finally(endLease);
      if (!stream) await ended;
      else ports.gateway.background(ended.catch(() => undefined)); // whoever holds the turn is told
      const { upstreamMs, admission, cache } = answer;
      const record = Promise.resolve(answer.record);
      const { sessionId } = call;
      const told = { sessionId, replayed: false, upstreamMs, admission, answer: ended, record };
      return cache ? { ...told, cache } : told;
    } catch (error) {
      endLease();
      throw await this.giveUp(error);
    }
  }

  private async end(answer: ModelAnswer, model: string): Promise<TurnAnswer> {
    try {
      const { body } = answer;
      const reply = typeof body === "string" ? readReply(body) : await this.follow(body);
      const record = await answer.record;
      return await this.keep(reply, record, model);
    } catch (error) {
      throw await this.giveUp(error);
    }
  }

  /** Reads a streamed reply to its end; how it ended, its usage record says. */
  private async follow(body: ReadableStream<Uint8Array>): Promise<Reply> {
    const reader = body.getReader();
    const reading = new ReplyReader();
    for (;;) {
      const read = await reader.read().catch(() => null); // broken off
      const part = reading.take(read?.value ?? null);
      if (part.text !== "" || part.tools.length > 0) this.parts.request.onPart(part);
      if (reading.full) this.parts.hangUp.abort();
      if (!read || read.done || reading.full) break;
    }
    reader.cancel().catch(() => undefined); // it may have ended, which is as good
    return reading.reply;
  }

  private async keep(reply: Reply, record: UsageRecord, model: string): Promise<TurnAnswer> {
    const { call, request, store } = this.parts;
    const { inputTokens, outputTokens, costMicros } = record;
    const { model: chosenModel, system } = request.input;
    const finishReason = this.finishReason(reply, record);
    const said = { messageId: newId("message"), reply: reply.text, model, finishReason };
    const kept: KeptAnswer = { ...said, inputTokens, outputTokens, costMicros };
    if (!(await store.finish({ ...kept, turnId: call.requestId, chosenModel, system })))
      throw goneMeanwhile();
    return { ...kept, sessionId: call.sessionId };
  }

  /** @throws AppError where the reply is none that is kept */
  private finishReason(reply: Reply, record: UsageRecord): string {
    if (record.status === 200) return reply.finishReason ?? "stop";
    if (record.errorCode === "client_closed") {
      if (reply.text !== "") return reply.finishReason ?? "aborted";
      throw new AppError("client_closed", { message: "The client closed the connection." });
    }
    throw (
      this.failure ??
      new AppError("provider_error", {
        message: `The provider of ${record.model} failed in the middle of its answer. Try again.`,
      })
    );
  }

  /** Takes the gateway's error out of the stream, where nobody but this turn would read it. */
  private failed(error: AppError): string {
    this.failure = error;
    return "data: {}\n\n";
  }

  private async giveUp(thrown: unknown): Promise<AppError> {
    const { call, store } = this.parts;
    await store.abandon(call.requestId).catch(() => undefined); // then the lease runs out
    return this.lost ? goneMeanwhile() : toAppError(thrown);
  }
}

/** The turn as the gateway takes it. */
function chatRequest(
  raw: { model: string; messages: PromptMessage[]; stream: boolean },
  user: string | null,
): ChatRequest {
  return { ...raw, messages: raw.messages.map((message) => ({ ...message })), user, raw };
}

function goneMeanwhile(): AppError {
  return new AppError("conflict", {
    message: "The session was deleted while it answered. Nothing of this turn is kept.",
  });
}
