import type { Admission } from "../gateway/admission.ts";
import type { GatewayPorts, ModelAnswer } from "../gateway/model-call.ts";
import type { Served } from "../gateway/served-headers.ts";
import type { UsageRecord } from "../usage/usage-record.ts";
import type { KeptAnswer, OpenSession, TurnRetry } from "./session.ts";
import type { TurnInput } from "./turn-input.ts";
import type { ToolBox, ToolState } from "./turn-tools.ts";

/** What a turn reaches the world by. */
export interface TurnPorts {
  gateway: GatewayPorts;
  openSession: OpenSession;
  /** The model for sessions that have chosen none. @throws AppError `invalid_request` where there is none */
  defaultModel(): Promise<string>;
  /** Left out where models are offered no tools. */
  toolBox?: ToolBox;
}

/** A part of the reply, or what a tool does. */
export type TurnPart = { text: string } | ToolState;

export interface TurnRequest {
  input: TurnInput;
  /** Makes the call safe to send again; null where the client gave no Idempotency-Key. */
  retry: TurnRetry | null;
  /** Gets the reply as it comes, and what tools do meanwhile. */
  onPart(part: TurnPart): void;
}

export interface TurnAnswer extends KeptAnswer {
  sessionId: string;
}

/** A turn that runs, or has ended. */
export interface Turn {
  sessionId: string;
  /** Whether it is the answer that the same call got before. */
  replayed: boolean;
  /** Milliseconds until the provider's answer began, or was whole; null where none was called. */
  upstreamMs: number | null;
  /** What the response cache had; left out where nobody asked it. */
  cache?: ModelAnswer["cache"];
  /** How its limits let it through; left out where nobody asked them. */
  admission?: Admission | undefined;
  /** Who gave the answer: of several rounds the last one's, of a stream the first's. Null where no provider was called. */
  served: Served | null;
  /** @throws AppError for all that fails once the stream has begun; then nothing of the turn stays */
  answer: Promise<TurnAnswer>;
  /** Of all calls of the model together, for the log. Null where the answer is an earlier one. Never rejects. */
  record: Promise<UsageRecord | null> | null;
}
