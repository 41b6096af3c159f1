import { CLIENT_SENTENCE } from "#test/providers/fault-provider.ts";
import type { FaultName } from "#test/providers/fault.ts";

/** What each fault of a provider has to look like to the client, and in the usage record. */

/** What a record says of tokens: the provider's own numbers, an estimate, or none. */
export type Tokens = "counted" | "estimated" | "none";

export interface Failure {
  status: number;
  code: string;
  tokens: Tokens;
  says: RegExp;
  retryAfter?: string;
  /** Whether the answer tells clients that a retry is of no use. */
  final?: boolean;
}

const AGAIN = /try again/i;
const OPERATOR = /operator/i;
const failed = (more: Partial<Failure> = {}): Failure => ({
  status: 502,
  code: "provider_error",
  tokens: "none",
  says: AGAIN,
  ...more,
});
const misconfigured = failed({ code: "provider_misconfigured", says: OPERATOR, final: true });
const unreachable = failed({ code: "provider_unreachable" });
const tooSlow = failed({ status: 504, code: "provider_timeout" });
const refused = (status: number, code: string): Failure =>
  failed({ status, code, says: new RegExp(CLIENT_SENTENCE) });

/** What fails before the answer begins: the same whether it was to be streamed or not. */
const BEFORE: Partial<Record<FaultName, Failure>> = {
  "html-502": failed(),
  "status-400": refused(400, "invalid_request"),
  "status-401": misconfigured,
  "status-403": misconfigured,
  "status-404": failed({ status: 404, code: "model_not_found", says: /GET \/v1\/models/ }),
  "status-408": { ...tooSlow, tokens: "estimated" },
  "status-422": refused(422, "validation_failed"),
  "status-429": failed({ status: 429, code: "provider_rate_limited", retryAfter: "7" }),
  "status-500": failed(),
  "status-503": failed({ status: 503, code: "provider_overloaded", retryAfter: "2" }),
  "error-without-end": failed(),
  "html-200": failed(),
  hang: { ...tooSlow, tokens: "estimated" },
  close: unreachable,
  "reset-on-connect": unreachable,
  redirect: misconfigured,
};

export const WHOLE_FAILURES: Partial<Record<FaultName, Failure>> = {
  ...BEFORE,
  "truncated-json": failed(),
  cut: failed(),
  reset: failed(),
  silence: { ...tooSlow, tokens: "estimated" },
};
export const STREAM_REFUSALS: Partial<Record<FaultName, Failure>> = {
  ...BEFORE,
  "wrong-content-type": failed(),
};

const cutShort = failed({ code: "stream_cut", tokens: "estimated" });

/** What fails after the stream began: the status is 200 by then, and the last event tells. */
export const STREAM_FAILURES: Partial<Record<FaultName, Failure>> = {
  cut: cutShort,
  reset: cutShort,
  "clean-cut": cutShort,
  "half-event": cutShort,
  "empty-finish-reason": cutShort,
  "cut-after-finish": { ...cutShort, tokens: "counted" },
  silence: failed({ status: 504, code: "provider_timeout", tokens: "estimated" }),
  "error-event": failed({ tokens: "estimated" }),
  "error-in-chunk": failed({ tokens: "estimated" }),
  "named-error-event": failed({ tokens: "estimated" }),
  "over-giant": failed({ tokens: "estimated", says: /too large/ }),
};

export const WHOLE_SUCCESSES: Partial<Record<FaultName, Tokens>> = {
  none: "counted",
  "slow-first-byte": "counted",
  "no-usage": "estimated",
  "wrong-content-type": "counted",
  gzip: "counted",
  cookies: "counted",
  giant: "counted",
};
export const STREAM_SUCCESSES: Partial<Record<FaultName, Tokens>> = {
  none: "counted",
  "slow-first-byte": "counted",
  "slow-events": "counted",
  burst: "counted",
  "without-done": "counted",
  "open-after-done": "counted",
  "no-usage": "estimated",
  "usage-null": "estimated",
  "usage-last-content": "counted",
  "usage-every-chunk": "counted",
  "usage-always": "counted",
  "split-bytes": "counted",
  crlf: "counted",
  comments: "counted",
  giant: "counted",
  gzip: "counted",
  cookies: "counted",
};

const SAID: Partial<Record<FaultName, string>> = {
  burst: Array.from({ length: 200 }, (_, index) => ` ${index}`).join(""),
  giant: "x".repeat(2_000_000),
  "split-bytes": "Grüße, سلام 👋🏽 done",
};

export const saidBy = (name: string) => SAID[name as FaultName] ?? "You said: hi"; // a key of the tables above

/** Faults that last until the provider's time is up; their provider is given less of it. */
export const PATIENCE: ReadonlySet<string> = new Set(["hang", "silence", "error-without-end"]);
