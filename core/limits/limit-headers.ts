import type { LimitUnit } from "../meter/limit-rule.ts";
import type { LimitState } from "../meter/limit-state.ts";
import { shownQuantity } from "./limit.ts";

const SECONDS = { second: 1, minute: 60, hour: 3_600, day: 86_400, week: 604_800 } as const;
const QUOTA_UNITS: Record<LimitUnit, string> = {
  requests: "",
  tokens: ';qu="tokens"',
  usd: ';qu="micro-usd"',
  concurrency: ';qu="concurrent-requests"',
};

/** From this part of its maximum on, a soft limit warns. */
const WARNS_FROM = 0.8;

/** Fields of an answer, and where to put them: a plain object and `Headers` both will do. */
type Put = (name: string, value: string) => void;

/**
 * Says in an answer's fields how much its limits leave: OpenAI's `x-ratelimit-*` for the tightest limit of requests
 * and of tokens, `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers) for each that can refuse,
 * and `x-limit-warning` for soft ones that are nearly or wholly used up. Nothing, where there are no limits.
 */
export function putLimitHeaders(states: readonly LimitState[], now: number, put: Put): void {
  let requests: LimitState | null = null;
  let tokens: LimitState | null = null;
  let policies = "";
  let left = "";
  let warnings = "";
  for (const state of states) {
    if (state.soft) {
      if (state.used >= state.max * WARNS_FROM) warnings = joined(warnings, warningOf(state));
      continue;
    }
    if (state.unit === "requests" && isTighter(state, requests)) requests = state;
    if (state.unit === "tokens" && isTighter(state, tokens)) tokens = state;
    const name = `"${policyName(state)}"`;
    const span = windowSeconds(state);
    const width = span === null ? "" : `;w=${span}`;
    policies = joined(
      policies,
      `${name};q=${Math.floor(state.max)}${width}${QUOTA_UNITS[state.unit]}`,
    );
    const until = state.resetsAt === null ? "" : `;t=${secondsUntil(state.resetsAt, now)}`;
    left = joined(left, `${name};r=${Math.floor(state.remaining)}${until}`);
  }
  if (requests) putOpenAi("requests", requests, now, put);
  if (tokens) putOpenAi("tokens", tokens, now, put);
  if (policies !== "") {
    put("ratelimit-policy", policies);
    put("ratelimit", left);
  }
  if (warnings !== "") put("x-limit-warning", warnings);
}

/** A time span as OpenAI writes it: `12ms`, `1s`, `6m0s`, `23h59m1s`. */
export function spanText(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.ceil(ms))}ms`;
  const seconds = Math.ceil(ms / 1_000);
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m${seconds % 60}s`;
  return `${Math.floor(minutes / 60)}h${minutes % 60}m${seconds % 60}s`;
}

function putOpenAi(unit: "requests" | "tokens", state: LimitState, now: number, put: Put): void {
  put(`x-ratelimit-limit-${unit}`, String(Math.floor(state.max)));
  put(`x-ratelimit-remaining-${unit}`, String(Math.floor(state.remaining)));
  if (state.resetsAt !== null)
    put(`x-ratelimit-reset-${unit}`, spanText(Math.max(0, state.resetsAt - now)));
}

function isTighter(state: LimitState, other: LimitState | null): boolean {
  if (other === null || state.remaining < other.remaining) return true;
  return state.remaining === other.remaining && state.max < other.max;
}

/** `key-requests-minute`, for one model or end user with what tells it apart: each limit of a caller has its own. */
function policyName(state: LimitState): string {
  if (state.prepaid) return "team-credits";
  const { unit, window, keyId, model, endUser } = state;
  let name = `${keyId === null ? "team" : "key"}-${unit}`;
  if (window !== null) name += `-${window}`;
  // A structured field's string is printable ASCII with two characters escaped; names of models are such.
  if (model !== null) name += `:${model.replaceAll(/["\\]/g, "\\$&")}`;
  if (endUser !== null) name += `-user-${state.ruleId.slice(-6)}`;
  return name;
}

function windowSeconds({ window, resetsAt }: LimitState): number | null {
  if (window === null || window === "total" || resetsAt === null) return null;
  if (window !== "month") return SECONDS[window];
  const end = new Date(resetsAt);
  return (resetsAt - Date.UTC(end.getUTCFullYear(), end.getUTCMonth() - 1)) / 1_000;
}

function warningOf(state: LimitState): string {
  const { unit, window, max, used, resetsAt } = state;
  const percent = max === 0 ? 100 : Math.floor((used / max) * 100);
  const resets = resetsAt === null ? "" : `;resets=${Math.floor(resetsAt / 1_000)}`;
  return `"${policyName(state)}";used=${percent};max="${shownQuantity(unit, max)}${window === null ? "" : ` by ${window}`}"${resets}`;
}

function secondsUntil(end: number, now: number): number {
  return Math.max(0, Math.ceil((end - now) / 1_000));
}

function joined(list: string, item: string): string {
  return list === "" ? item : `${list}, ${item}`;
}
