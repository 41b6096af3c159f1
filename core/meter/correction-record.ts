import type { UsageRecord } from "../usage/usage-record.ts";
import type { Correction } from "./lease.ts";

/** What stands for the model of requests that nobody reported, where no limit tells models apart. */
const UNREPORTED = "unreported";

/**
 * The usage record of a charge for requests that nobody reported, or, with amounts below zero, of its taking back. It
 * stands for all requests of the lease; its tokens are counted as output, since nobody knows how they were divided.
 */
export function recordOfCorrection(correction: Correction): UsageRecord {
  const { lease, number, at, combination, tokens, micros } = correction;
  return {
    id: lease,
    attempt: number,
    at,
    keyId: combination.keyId,
    sessionId: null,
    endUser: combination.endUser,
    model: combination.model ?? UNREPORTED,
    provider: null,
    status: 200,
    errorCode: null,
    inputTokens: 0,
    outputTokens: tokens,
    estimated: true,
    costMicros: micros,
    latencyMs: 0,
    firstTokenMs: null,
    cached: false,
  };
}
