import type { Admission } from "#core/gateway/admission.ts";
import type { ModelCall } from "#core/gateway/model-call.ts";
import { AppError } from "#core/kernel/errors.ts";
import { within } from "#core/kernel/within.ts";
import { refusalError } from "#core/limits/refusal-error.ts";
import type { Asking, LeaseSource } from "#core/meter/asking.ts";
import type { LimitRule } from "#core/meter/limit-rule.ts";
import type { TeamRules } from "#core/meter/team-standing.ts";
import type { AppContext } from "./app-types.ts";
import { askStanding, SHORT_PATIENCE_MS } from "./ask-standing.ts";

/** How long a lease is waited for, in milliseconds; less than after which the desk takes a call for lost. */
const LEASE_PATIENCE_MS = 5_000;

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
      sourceFor(c, teamId, rules),
    );
  const known = limits.fresh(teamId, Date.now());
  return known ? decide(known.limits) : teamRules(c, teamId).then(({ limits }) => decide(limits));
}

/**
 * What holds for a team, asked of its Meter.
 * @throws AppError `unavailable` where neither the Meter nor a recent answer of it can be had
 */
export async function teamRules(c: AppContext, teamId: string): Promise<TeamRules> {
  const { limits } = c.get("deps");
  try {
    if (limits.isMissed(teamId, Date.now())) throw new Error("The Meter did not answer just now");
    return await askStanding(c.get("deps"), teamId);
  } catch (error) {
    const last = limits.last(teamId, Date.now());
    if (last) return last;
    throw unreachable(error);
  }
}

function sourceFor(c: AppContext, teamId: string, rules: readonly LimitRule[]): LeaseSource {
  const { leases, limits, meter, usage } = c.get("deps");
  const background = (work: Promise<unknown>) => c.executionCtx.waitUntil(work);
  return {
    async lease(wants) {
      // Who would be refused without the Meter waits for it; who would be let through does not.
      const isPatient = rules.some(({ soft, onError }) => !soft && onError === "closed");
      if (!isPatient && limits.isMissed(teamId, Date.now()))
        throw new Error("The Meter did not answer just now");
      const work = meter.lease(teamId, wants);
      try {
        return await within(isPatient ? LEASE_PATIENCE_MS : SHORT_PATIENCE_MS, work);
      } catch (error) {
        limits.miss(teamId, Date.now());
        const handBack = work.then((grants) => {
          leases.takeLate(teamId, wants, grants, Date.now());
          return usage.flush(teamId);
        });
        background(handBack.catch(() => undefined)); // where the call has failed there is nothing to hand back
        throw error;
      }
    },
    granted: () => background(usage.flush(teamId)),
    background,
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    refuse: (refusal, states) => refusalError(refusal, Date.now(), states),
    unreachable,
    now: Date.now,
  };
}

function unreachable(cause: unknown): AppError {
  return new AppError("unavailable", {
    message: "The limits of this request cannot be checked right now. Try again in a moment.",
    retryAfterSeconds: 1,
    cause,
  });
}
