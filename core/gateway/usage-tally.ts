import { costMicros, type PricedTokens } from "../kernel/money.ts";
import type { RailEvent } from "../guard-rails/rail-events.ts";
import type { ErrorCode } from "../kernel/errors.ts";
import type { ModelPrices, Route } from "../providers/catalog.ts";
import type { CacheState } from "../response-cache/cache-turn.ts";
import type { UsageRecord } from "../usage/usage-record.ts";
import type { ModelCall } from "./model-call.ts";

/** Tokens as a provider counts them. What it says of its cache is left out where that is nothing. */
export type TokenCounts = PricedTokens;

const MODEL_NAME_LIMIT = 200;

/**
 * Reads the `usage` of an answer; null where there is none to rely on. Written by hand, since it runs on the hot path.
 */
export function readUsage(value: unknown): TokenCounts | null {
  if (typeof value !== "object" || value === null) return null;
  const { prompt_tokens, completion_tokens, total_tokens, prompt_tokens_details } = value as Record<
    string,
    unknown
  >; // an object, as checked
  const input = tokenCount(prompt_tokens);
  const output = tokenCount(completion_tokens);
  const total = tokenCount(total_tokens);
  if (input === undefined || input === null || output === undefined || total === undefined)
    return null;
  const counts: TokenCounts = { input, output: output ?? Math.max(0, (total ?? input) - input) };
  return typeof prompt_tokens_details === "object" && prompt_tokens_details !== null
    ? withCache(counts, prompt_tokens_details as Record<string, unknown>) // an object, as checked
    : counts;
}

/** What the cache had, and what went into it, are parts of the input, whatever a provider says. */
function withCache(counts: TokenCounts, details: Record<string, unknown>): TokenCounts {
  const { cached_tokens, cache_write_tokens, cache_write_1h_tokens } = details;
  const cachedInput = Math.min(tokenCount(cached_tokens) ?? 0, counts.input);
  const cacheWrite = Math.min(tokenCount(cache_write_tokens) ?? 0, counts.input - cachedInput);
  const cacheWrite1h = Math.min(tokenCount(cache_write_1h_tokens) ?? 0, cacheWrite);
  if (cachedInput > 0) counts.cachedInput = cachedInput;
  if (cacheWrite > 0) counts.cacheWrite = cacheWrite;
  if (cacheWrite1h > 0) counts.cacheWrite1h = cacheWrite1h;
  return counts;
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
  /** What the team's guard rails did; left out where that is nothing. */
  guardRails?: RailEvent[] | undefined;
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
    ...(hit || isUncached(tokens) ? {} : cacheOf(tokens, lost?.tokens)),
    ...(outcome.cache === "miss" ? { cacheMissed: true } : {}),
    ...(outcome.guardRails ? { guardRails: outcome.guardRails } : {}),
    ...(outcome.refusedBy ? { refusedBy: outcome.refusedBy } : {}),
  };
}

const isUncached = ({ cachedInput, cacheWrite }: TokenCounts) =>
  cachedInput === undefined && cacheWrite === undefined;

/** @param lost a copy of the tokens, where another attempt was paid for besides */
function cacheOf(
  { cachedInput = 0, cacheWrite = 0 }: TokenCounts,
  lost?: TokenCounts,
): Pick<UsageRecord, "cachedInputTokens" | "cacheWriteTokens"> {
  const read = cachedInput + (lost?.cachedInput ?? 0);
  const written = cacheWrite + (lost?.cacheWrite ?? 0);
  return {
    ...(read > 0 ? { cachedInputTokens: read } : {}),
    ...(written > 0 ? { cacheWriteTokens: written } : {}),
  };
}
