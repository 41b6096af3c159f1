import type { ProviderAnswer } from "../gateway/call-provider.ts";
import type { ChatRequest } from "../gateway/chat-request.ts";
import type { GatewayPorts, ModelCall } from "../gateway/model-call.ts";
import type { GuardRails } from "../guard-rails/guard-rails.ts";
import { ProviderCall } from "../gateway/provider-call.ts";
import { AppError, toAppError } from "../kernel/errors.ts";
import type { ModelRoute } from "../providers/catalog.ts";
import type { UsageRecord } from "../usage/usage-record.ts";
import { answerKey } from "./answer-key.ts";
import { AnswerRecorder } from "./answer-recorder.ts";
import type {
  AnswerStore,
  Flight,
  FlightResult,
  FlightTurn,
  StoredAnswer,
} from "./answer-store.ts";
import type { CachePolicy } from "./cache-policy.ts";

/** How long a request waits for an equal one before it calls the provider itself, in milliseconds. */
const WAIT_MS = 60_000;
/** How often a leader says that it is alive; see the lease in `platform/durable-objects/answer-flight.ts`. */
const RENEW_MS = 1_000;

/** An answer that was filtered is no answer to give again: another attempt may be let through. */
const FILTERED = /"finish_reason"\s*:\s*"content_filter"/;

/** What the response cache had for a request; the header `x-cache`. */
export type CacheState = "hit" | "miss" | "bypass";

/** One request's dealings with the response cache: what it was given, and what is kept of its answer. */
export class CacheTurn {
  readonly state: CacheState;
  /** Milliseconds since 1970 at which the answer was kept, for a hit. */
  readonly storedAt: number | null;
  private readonly kept: StoredAnswer | null;
  private readonly recorder = new AnswerRecorder();
  private readonly way: Way;
  private leads: boolean;

  private constructor(way: Way, state: CacheState, kept: StoredAnswer | null, leads: boolean) {
    this.way = way;
    this.state = state;
    this.kept = kept;
    this.storedAt = kept?.storedAt ?? null;
    this.leads = leads;
    if (leads) way.ports.background(this.stayAlive());
  }

  /**
   * Looks a request's answer up; where there is none, the first of equal requests goes on to the provider and the
   * others wait for its answer.
   * @throws AppError `client_closed`, and the provider's error where the request that led failed by it
   */
  static async begin(
    { ports, call, request, route, rails }: CacheRequest,
    policy: CachePolicy,
  ): Promise<CacheTurn | null> {
    const store = ports.answers;
    if (!store) return null;
    const { raw, stream } = request;
    const guardRails = rails?.digest ?? null;
    const source = { teamId: call.teamId, guardRails, route, stream, request: raw };
    const key = policy.seconds === 0 ? null : await answerKey(source);
    const way = { ports, store, key: key ?? "", seconds: policy.seconds, flight: null };
    if (key === null || !policy.read) return new CacheTurn(way, "bypass", null, false);
    const fresh = (answer: StoredAnswer) => ports.now() - answer.storedAt < policy.maxAge * 1_000;
    const kept = await store.read(key);
    if (kept && fresh(kept)) return new CacheTurn(way, "hit", kept, false);
    const flight = store.flight(key);
    const turn = await takeTurn(flight, call.clientSignal);
    if (turn.state === "failed") throw sharedFailure(turn);
    if (turn.state === "answered" && fresh(turn.answer))
      return new CacheTurn(way, "hit", turn.answer, false);
    return new CacheTurn({ ...way, flight }, "miss", null, turn.state === "lead");
  }

  /** The answer that was kept, as if a provider sent it; null where there is none. */
  replay(stream: boolean): ProviderAnswer | null {
    if (!this.kept) return null;
    const contentType = stream ? "text/event-stream" : "application/json";
    const response = new Response(this.kept.body, { headers: { "content-type": contentType } });
    return { response, decodeWhole: null, call: new ProviderCall(null) };
  }

  /**
   * The stream of an answer, which is noted down as it is read.
   * @param head what was read of it already
   */
  noted(body: ReadableStream<Uint8Array>, head: Uint8Array[]): ReadableStream<Uint8Array> {
    return this.kept || this.way.key === "" ? body : this.recorder.listen(body, head);
  }

  /**
   * The request has ended. A complete and good answer is kept and given to those who wait.
   * @param body of an answer in one piece
   */
  end(record: UsageRecord, body?: string): void {
    const { ports, store, key, seconds } = this.way;
    if (this.kept || key === "") return;
    const text = body ?? this.recorder.text();
    const good = record.status === 200 && record.errorCode === null;
    if (!good || text === null || AnswerRecorder.isTooLarge(text) || FILTERED.test(text)) {
      this.hand(null);
      return;
    }
    const answer = { body: text, storedAt: ports.now() };
    ports.background(store.write(key, answer, seconds));
    this.hand({ state: "answered", answer });
  }

  /** The request failed before its answer began. What only concerns this one request makes another one lead. */
  fail(thrown: unknown): void {
    const { code, message, param, retryAfterSeconds, details } = toAppError(thrown);
    const theProviders = code.startsWith("provider_") || details?.["provider_status"] !== undefined;
    this.hand(theProviders ? { state: "failed", code, message, param, retryAfterSeconds } : null);
  }

  private hand(result: FlightResult | null): void {
    if (!this.leads) return;
    this.leads = false;
    const { flight, ports } = this.way;
    if (flight) ports.background(flight.finish(result));
  }

  private async stayAlive(): Promise<void> {
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, RENEW_MS));
      if (!this.leads) return;
      await this.way.flight?.renew();
    }
  }
}

/** The request that asks. */
export interface CacheRequest {
  ports: GatewayPorts;
  call: ModelCall;
  request: ChatRequest;
  route: ModelRoute;
  rails: GuardRails | null;
}

interface Way {
  ports: GatewayPorts;
  store: AnswerStore;
  /** Empty where nothing is kept. */
  key: string;
  seconds: number;
  flight: Flight | null;
}

async function takeTurn(flight: Flight, signal: AbortSignal | null): Promise<FlightTurn> {
  const joined = await flight.join();
  if (joined.state !== "wait") return joined;
  let hangUp = () => {};
  const gone = new Promise<never>((_, reject) => {
    hangUp = () =>
      reject(new AppError("client_closed", { message: "The client closed the connection." }));
  });
  signal?.addEventListener("abort", hangUp, { once: true });
  if (signal?.aborted) hangUp();
  try {
    return await Promise.race([flight.wait(WAIT_MS), gone]);
  } finally {
    signal?.removeEventListener("abort", hangUp);
  }
}

function sharedFailure(turn: Extract<FlightResult, { state: "failed" }>): AppError {
  const { code, message, param, retryAfterSeconds } = turn;
  return new AppError(code, {
    message,
    ...(param === undefined ? {} : { param }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}
