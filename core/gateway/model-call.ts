import type { Recogniser } from "../chat/builtin-model.ts";
import type { GuardRails } from "../guard-rails/guard-rails.ts";
import type { Principal } from "../kernel/principal.ts";
import type { ModelRoute } from "../providers/catalog.ts";
import type { CircuitBoard } from "../providers/circuits/circuit-board.ts";
import type { AnswerStore } from "../response-cache/answer-store.ts";
import type { CachePolicy } from "../response-cache/cache-policy.ts";
import type { CacheTurn } from "../response-cache/cache-turn.ts";
import type { UsageRecord } from "../usage/usage-record.ts";
import type { Admission, WorstCase } from "./admission.ts";
import type { Served } from "./served-headers.ts";

/** One request for a model, whichever route it came by. */
export interface ModelCall {
  /** Our own `req_` id. */
  requestId: string;
  /** Milliseconds since 1970. */
  receivedAt: number;
  principal: Principal;
  /** Who is charged. */
  teamId: string;
  sessionId: string | null;
  /** The client's own user, where it names one; at most 200 characters. */
  endUser: string | null;
  traceparent: string;
  tracestate: string | null;
  /** Aborted when the client hangs up. */
  clientSignal: AbortSignal | null;
  /** Guard rails have masked some of it before it became a chat completion. */
  inputMasked?: boolean;
  /** How it uses the response cache; left out where nobody asked for that. */
  cache?: CachePolicy;
}

/** What the gateway reaches the world by. */
export interface GatewayPorts {
  fetch(url: string, init: RequestInit): Promise<Response>;
  /** Runs a model of Workers AI; null where there is no binding. The answer comes as it is, errors too. */
  runAi:
    | ((model: string, input: Record<string, unknown>, signal: AbortSignal) => Promise<Response>)
    | null;
  /**
   * The ways to a model. A promise comes back only where something has to be waited for.
   * @throws AppError `model_not_found`, `unavailable`, `misconfigured`
   */
  route(model: string): ModelRoute | Promise<ModelRoute>;
  /**
   * The team's guard rails; null where it has none. A promise comes back only where something has to be waited for.
   * @throws AppError `unavailable`
   */
  guardRails(teamId: string): GuardRails | null | Promise<GuardRails | null>;
  /** The circuits of all targets, as this isolate sees them. */
  circuits: CircuitBoard;
  /** Exchanges with other isolates what has become of circuits, in the background. */
  syncCircuits(): void;
  /** Opens the sealed key of a provider. A promise comes back only where it was not opened before. */
  openKey(provider: string, sealed: string): string | Promise<string>;
  /**
   * Decides by all limits at once whether the request may go on, nearly always in memory, and sets its worst case
   * aside until its usage record is reported. A promise comes back only where something has to be waited for.
   * @param asked its `worst` is called only where a limit counts tokens or money
   * @throws AppError `rate_limit_exceeded`, `insufficient_quota` (both with `limit`), `unavailable`
   */
  admit(
    call: ModelCall,
    model: string,
    asked: {
      worst: () => WorstCase;
      /** The largest `max_tokens` with which it would fit into this much; left out where it has no such bound. */
      fitting?: (unit: "tokens" | "usd", room: number) => number | null;
      deadlineAt: number;
    },
  ): Admission | Promise<Admission>;
  /** Hands a usage record to the team's Meter, which settles what the request had set aside. */
  report(record: UsageRecord): void;
  /** Lets work go on when the client is gone. */
  background(work: Promise<unknown>): void;
  /** A pipe whose readable side becomes the answer's body. */
  createPipe(): { readable: ReadableStream<Uint8Array>; writable: WritableStream<Uint8Array> };
  now: () => number;
  /** Where answers are kept to be given again. */
  answers?: AnswerStore;
  /** What the builtin model knows of tools. */
  recognisers?: readonly Recogniser[];
}

/** What a model answered, ready to be sent. */
export interface ModelAnswer {
  contentType: string;
  /** How its limits let it through; left out where nobody asked them. */
  admission?: Admission;
  /** Who answered, after how many attempts. */
  served: Served;
  body: string | ReadableStream<Uint8Array>;
  /** Milliseconds that the provider took until its answer began (streams) or was whole. */
  upstreamMs: number;
  /** How it ended; of a stream, when the stream does. Never rejects. */
  record: UsageRecord | Promise<UsageRecord>;
  /** The parameters that its provider has nothing like, and was not told. */
  leftOut?: string[] | undefined;
  /** What the response cache had, where the request asked it. */
  cache?: Pick<CacheTurn, "state" | "storedAt">;
}
