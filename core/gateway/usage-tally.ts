import { costMicros } from "../kernel/money.ts";
import type { ErrorCode } from "../kernel/errors.ts";
import type { ModelPrices, Route } from "../providers/catalog.ts";
import type { CacheState } from "../response-cache/cache-turn.ts";
import type { UsageRecord } from "../usage/usage-record.ts";
import type { ModelCall } from "./model-call.ts";

/** Tokens as a provider counts them. */
export interface TokenCounts {
  input: number;
  output: number;
}

const MODEL_NAME_LIMIT = 200;

/**
 * Reads the `usage` of an answer; null where there is none to rely on. Written by hand, since it runs on the hot path.
 */
export function readUsage(value: unknown): TokenCounts | null {
  if (typeof value !== "object" || value === null) return null;
  const { prompt_tokens, completion_tokens, total_tokens } = value as Record<string, unknown>; // an object, as checked
  const input = tokenCount(prompt_tokens);
  const output = tokenCount(completion_tokens);
  const total = tokenCount(total_tokens);
  if (input === undefined || input === null || output === undefined || total === undefined)
    return null;
  return { input, output: output ?? Math.max(0, (total ?? input) - input) };
}

/** A number of tokens, null where there is none, and undefined where it is no such number. */
function tokenCount(value: unknown): number | null | undefined {
  if (value === undefined || value === null) return null;
  return Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : undefined;
}

/** How a request ended. */
export interface Outcome {
  status: number;
  errorCode: ErrorCode | null;
  tokens: TokenCounts;
  estimated: boolean;
  /** When the first token came, milliseconds since 1970. */
  firstTokenAt: number | null;
  /** An attempt that was ended because another had answered, and may cost something all the same. */
  lost?: { tokens: TokenCounts; prices: ModelPrices };
  /** How many attempts it took; left out: one. */
  attempt?: number;
  /** What the response cache had, where it was asked. A hit costs nothing and is nobody's call. */
  cache?: CacheState | undefined;
  /** The limit that refused the request; left out where none did. */
  refusedBy?: string | undefined;
}

/** A request that came to nothing yet. */
export const NOTHING: Outcome = {
  status: 200,
  errorCode: null,
  tokens: { input: 0, output: 0 },
  estimated: false,
  firstTokenAt: null,
};

/** The one usage record of a request. */
export function makeUsageRecord(
  call: ModelCall,
  model: string,
  route: Route | null,
  outcome: Outcome,
  now: number,
): UsageRecord {
  const hit = outcome.cache === "hit";
  const { tokens, lost } = outcome;
  const lostMicros = lost ? costMicros(lost.tokens, lost.prices) : 0;
  return {
    id: call.requestId,
    attempt: outcome.attempt ?? 1,
    at: call.receivedAt,
    keyId: call.principal.kind === "key" ? call.principal.keyId : null,
    sessionId: call.sessionId,
    endUser: call.endUser,
    model: model.slice(0, MODEL_NAME_LIMIT),
    provider: hit ? null : (route?.provider ?? null),
    status: outcome.status,
    errorCode: outcome.errorCode,
    inputTokens: tokens.input + (lost?.tokens.input ?? 0),
    outputTokens: tokens.output + (lost?.tokens.output ?? 0),
    estimated: outcome.estimated || lost !== undefined,
    costMicros: route && !hit ? costMicros(tokens, route.prices) + lostMicros : 0,
    latencyMs: Math.max(0, now - call.receivedAt),
    firstTokenMs:
      outcome.firstTokenAt === null ? null : Math.max(0, outcome.firstTokenAt - call.receivedAt),
    cached: hit,
    ...(outcome.cache === "miss" ? { cacheMissed: true } : {}),
    ...(outcome.refusedBy ? { refusedBy: outcome.refusedBy } : {}),
  };
}
