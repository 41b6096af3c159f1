import { AppError } from "../kernel/errors.ts";
import type { LimitRefusal, LimitState } from "../meter/limit-state.ts";
import { shownQuantity } from "./limit.ts";
import { putLimitHeaders, spanText } from "./limit-headers.ts";

/** Clients wait for a minute at most; they are not told to come back for what takes longer. In milliseconds. */
const WAIT_LIMIT = 60_000;

/**
 * The error of a request that a limit has refused. A budget that is spent (money, or anything in total) is
 * `insufficient_quota`, which no client sends again; everything else `rate_limit_exceeded`, which OpenAI's clients
 * send again after the wait; so is a budget that is only set aside for running requests.
 * @param states of all limits of the request, where they are known, for the answer's fields
 */
export function refusalError(
  refusal: LimitRefusal,
  now: number,
  states: readonly LimitState[] = [refusal.state],
): AppError {
  const { state, setAside, retryAfterMs } = refusal;
  const spent = !setAside && (state.unit === "usd" || state.window === "total");
  const headers: Record<string, string> = {};
  putLimitHeaders(states, now, (name, value) => {
    headers[name] = value;
  });
  if (retryAfterMs !== null) {
    headers["retry-after"] = String(Math.max(1, Math.ceil(retryAfterMs / 1_000)));
    headers["retry-after-ms"] = String(Math.max(1, Math.ceil(retryAfterMs)));
  }
  const helps = !spent && retryAfterMs !== null && retryAfterMs <= WAIT_LIMIT;
  if (!helps) headers["x-should-retry"] = "false";
  return new AppError(spent ? "insufficient_quota" : "rate_limit_exceeded", {
    message: sentences(refusal, now).join(" "),
    headers,
    openAiType: spent ? "insufficient_quota" : state.unit === "tokens" ? "tokens" : "requests",
    limit: refusal,
  });
}

function sentences(refusal: LimitRefusal, now: number): string[] {
  const { state, needed, setAside, retryAfterMs, fittingMaxTokens } = refusal;
  const { unit, window, resetsAt } = state;
  const whose = state.keyId === null ? "team" : "key";
  const what = `${shown(state, state.max)}${window === null ? "" : window === "total" ? " in total" : ` per ${window}`}`;
  const all = [`Limit reached: this ${whose} may use ${what}${ofWhom(state)}.`];
  if (needed > state.max) return [...all, ...neverSentences(refusal)];
  if (unit === "concurrency") all.push("Wait until one of the running requests has ended.");
  else if (setAside) all.push("What is left is set aside for requests that are running.");
  else if (unit === "requests" || state.remaining <= 0) all.push("They are used up.");
  else
    all.push(
      `${shown(state, state.remaining)} are left, and this request may take up to ${shown(state, needed)}.`,
    );
  if (fittingMaxTokens !== null)
    all.push(`With max_tokens of ${fittingMaxTokens} or less it would fit.`);
  if (setAside && retryAfterMs !== null) all.push(`Try again in ${spanText(retryAfterMs)}.`);
  else if (resetsAt !== null)
    all.push(
      `It resets at ${new Date(resetsAt).toISOString()}, in ${spanText(Math.max(0, resetsAt - now))}.`,
    );
  else if (window === "total") all.push("Somebody has to raise it, or to add credits.");
  else if (retryAfterMs !== null) all.push(`Try again in ${spanText(retryAfterMs)}.`);
  return all;
}

/** Of a request that no waiting helps: it alone could take more than the whole limit. */
function neverSentences({ state, needed, fittingMaxTokens }: LimitRefusal): string[] {
  if (state.unit === "requests" || state.unit === "concurrency") return ["That allows none."];
  const all = [`This request alone may take up to ${shown(state, needed)}, and never fits.`];
  if (fittingMaxTokens !== null) all.push(`With max_tokens of ${fittingMaxTokens} or less it can.`);
  return all;
}

function shown({ unit }: LimitState, quantity: number): string {
  const text = shownQuantity(unit, quantity);
  if (unit === "usd") return `$${text}`;
  return `${text} ${unit === "concurrency" ? "requests at the same time" : unit}`;
}

function ofWhom({ model, endUser }: LimitState): string {
  return `${model === null ? "" : ` with the model ${model}`}${endUser === null ? "" : " for this end user"}`;
}
