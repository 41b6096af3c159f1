import type { ModelCall } from "../gateway/model-call.ts";
import type { Served } from "../gateway/served-headers.ts";
import { AppError, toAppError } from "../kernel/errors.ts";
import { newId } from "../kernel/ids.ts";
import type { UsageRecord } from "../usage/usage-record.ts";
import type { Begun, KeptAnswer, SessionStore } from "./session.ts";
import type { Turn, TurnAnswer, TurnPorts, TurnRequest } from "./turn.ts";
import { keepLease } from "./turn-lease.ts";
import { type RoundsEnd, TurnRounds } from "./turn-rounds.ts";
import type { TurnTools } from "./turn-tools.ts";

interface RunningParts {
  ports: TurnPorts;
  call: ModelCall & { sessionId: string };
  request: TurnRequest;
  store: SessionStore;
  tools: TurnTools | null;
  /** Ends the call of the model. */
  hangUp: AbortController;
}

/** A turn that has begun in its session: it ends there too, whatever happens. */
export class RunningTurn {
  private readonly parts: RunningParts;
  /** The session is no longer waiting for this turn. */
  private lost = false;

  constructor(parts: RunningParts) {
    this.parts = parts;
  }

  async run(model: string, begun: Begun): Promise<Turn> {
    const { ports, call, request, store, tools, hangUp } = this.parts;
    const endLease = keepLease(store, { id: call.requestId, leaseMs: begun.leaseMs }, () => {
      this.lost = true;
      hangUp.abort();
    });
    const stream = request.input.stream === true;
    const rounds = new TurnRounds({
      gateway: ports.gateway,
      toolBox: ports.toolBox ?? null,
      onPart: (part) => request.onPart(part),
      call,
      model,
      messages: begun.messages,
      stream,
      tools,
      hangUp,
      room: begun.room,
      turnName: `${call.sessionId}\n${request.retry?.key ?? begun.place}`,
    });
    try {
      const first = await rounds.begin();
      const followed = rounds.follow(first);
      const ended = this.end(followed, model).finally(endLease);
      const record = followed.then(
        (end) => end.record,
        (error: unknown) => rounds.recordOfFailure(error),
      );
      let served = first.cache?.state === "hit" ? null : first.served;
      if (!stream) {
        await ended;
        served = servedBy((await followed).record);
      } else ports.gateway.background(ended.catch(() => undefined)); // whoever holds the turn is told
      const { upstreamMs, admission, cache } = first;
      const { sessionId } = call;
      const begins = { sessionId, replayed: false, upstreamMs, admission, served };
      const told = { ...begins, answer: ended, record };
      return cache ? { ...told, cache } : told;
    } catch (error) {
      endLease();
      throw await this.giveUp(error);
    }
  }

  private async end(followed: Promise<RoundsEnd>, model: string): Promise<TurnAnswer> {
    try {
      return await this.keep(await followed, model);
    } catch (error) {
      throw await this.giveUp(error);
    }
  }

  private async keep(end: RoundsEnd, model: string): Promise<TurnAnswer> {
    const { call, request, store } = this.parts;
    const { text: reply, record, toolMessages } = end;
    const { inputTokens, outputTokens, costMicros } = record;
    const { model: chosenModel, system } = request.input;
    const said = { messageId: newId("message"), reply, model, finishReason: finishReason(end) };
    const kept: KeptAnswer = { ...said, inputTokens, outputTokens, costMicros };
    const finished = { ...kept, turnId: call.requestId, chosenModel, system, toolMessages };
    if (!(await store.finish(finished))) throw goneMeanwhile();
    return { ...kept, sessionId: call.sessionId };
  }

  private async giveUp(thrown: unknown): Promise<AppError> {
    const { call, store } = this.parts;
    await store.abandon(call.requestId).catch(() => undefined); // then the lease runs out
    return this.lost ? goneMeanwhile() : toAppError(thrown);
  }
}

/** Null where the response cache had the answer. */
function servedBy({ provider, attempt }: UsageRecord): Served | null {
  return provider === null ? null : { provider, attempts: attempt };
}

/** @throws AppError where the reply is none that is kept */
function finishReason({ text, finishReason: reason, record, failure }: RoundsEnd): string {
  if (record.status === 200) return reason ?? "stop";
  if (record.errorCode === "client_closed") {
    if (text !== "") return reason ?? "aborted";
    throw new AppError("client_closed", { message: "The client closed the connection." });
  }
  throw failure ?? brokenAnswer(record);
}

const brokenAnswer = ({ model }: UsageRecord) =>
  new AppError("provider_error", {
    message: `The provider of ${model} failed in the middle of its answer. Try again.`,
  });

function goneMeanwhile(): AppError {
  return new AppError("conflict", {
    message: "The session was deleted while it answered. Nothing of this turn is kept.",
  });
}
