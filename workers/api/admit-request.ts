import type { Admission } from "#core/gateway/admission.ts";
import type { ModelCall } from "#core/gateway/model-call.ts";
import { AppError } from "#core/kernel/errors.ts";
import { refusalError } from "#core/limits/refusal-error.ts";
import type { Asking, LeaseSource } from "#core/meter/lease-desk.ts";
import type { LimitRule } from "#core/meter/limit-rule.ts";
import type { AppContext } from "./app-types.ts";

/** A Meter that takes longer, in milliseconds, counts as out of reach. */
const PATIENCE_MS = 5_000;

/**
 * Lets a request through, or not, by all limits of its team and key at once; in memory where this isolate holds a
 * lease.
 * @throws AppError `rate_limit_exceeded`, `insufficient_quota`, `unavailable`
 */
export function admitRequest(
  c: AppContext,
  call: ModelCall,
  model: string,
  asked: Pick<Asking, "worst" | "fitting" | "deadlineAt">,
): Admission | Promise<Admission> {
  const { limits, leases } = c.get("deps");
  const { teamId, requestId, endUser, principal } = call;
  const keyId = principal.kind === "key" ? principal.keyId : null;
  const decide = (rules: readonly LimitRule[]) =>
    leases.admit(
      { teamId, requestId, rules, keyId, model, endUser, ...asked },
      sourceFor(c, teamId),
    );
  const known = limits.fresh(teamId, Date.now());
  return known ? decide(known) : limitsOf(c, teamId).then(decide);
}

/** @throws AppError `unavailable` where neither the Meter nor a recent answer of it can be had */
async function limitsOf(c: AppContext, teamId: string): Promise<readonly LimitRule[]> {
  const { limits, meter } = c.get("deps");
  const askedAt = Date.now();
  try {
    const standing = await withinPatience(meter.standing(teamId));
    limits.learn(teamId, standing, askedAt);
    return standing.limits;
  } catch (error) {
    const last = limits.last(teamId, Date.now());
    if (last) return last;
    throw unreachable(error);
  }
}

function sourceFor(c: AppContext, teamId: string): LeaseSource {
  const { meter, usage } = c.get("deps");
  const background = (work: Promise<unknown>) => c.executionCtx.waitUntil(work);
  return {
    lease: (wants) => withinPatience(meter.lease(teamId, wants)),
    granted: () => background(usage.flush(teamId)),
    background,
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    refuse: (refusal, states) => refusalError(refusal, Date.now(), states),
    unreachable,
    now: Date.now,
  };
}

async function withinPatience<T>(work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("The Meter did not answer in time")), PATIENCE_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function unreachable(cause: unknown): AppError {
  return new AppError("unavailable", {
    message: "The limits of this request cannot be checked right now. Try again in a moment.",
    retryAfterSeconds: 1,
    cause,
  });
}
