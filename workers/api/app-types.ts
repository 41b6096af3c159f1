import type { Context as HonoContext } from "hono";
import type { Context } from "#core/kernel/context.ts";
import type { VerifiedToken } from "#core/identity/verify-token.ts";
import type { Principal } from "#core/kernel/principal.ts";
import type { TraceContext } from "#core/kernel/trace-context.ts";
import type { Logger } from "#core/kernel/log.ts";
import type { Signal } from "#core/switches/signal.ts";
import type { Deps } from "./deps.ts";

/** What one request of the api Worker carries along. */
export interface RequestState {
  deps: Deps;
  requestId: string;
  /** Milliseconds since 1970. */
  receivedAt: number;
  trace: TraceContext;
  log: Logger;
  /** What is switched off, and which catalog is the latest; set with the principal. */
  signal: Signal;
  principal: Principal;
  /** What the request's token says of its bearer; not set for what comes otherwise. */
  bearer: VerifiedToken | undefined;
  /** The length of the request's body, in bytes. */
  bodyBytes: number;
  /** Whether the page that asks may read the answer. */
  originAllowed: boolean;
  /** The context for the verbs of core; set once the request is authenticated. */
  context: Context;
  /** Milliseconds spent waiting for a model's provider, for Server-Timing. */
  upstreamMs: number | null;
  /** Set by a handler whose answer has the frame's headers already. */
  framed: boolean;
  /** Set by a handler that writes the request's log line itself, such as once its stream has ended. */
  logsItself: boolean;
}

export type AppEnv = { Bindings: ApiEnv; Variables: RequestState };
export type AppContext = HonoContext<AppEnv>;
