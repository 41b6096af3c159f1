import type { EpochAnnouncer } from "#core/kernel/context.ts";
import { AppError } from "#core/kernel/errors.ts";
import { within } from "#core/kernel/within.ts";
import type { Grant, Want } from "#core/meter/lease.ts";
import type { LimitUsage, LimitViewer } from "#core/meter/limit-state.ts";
import type { TeamStanding } from "#core/meter/team-standing.ts";
import type { Meter } from "./durable-objects/meter.ts";
import type { UsageSink } from "./usage-reporter.ts";

/** The Meters as a Worker sees them: one for each team, found by the team's id. */
export interface MeterClient extends EpochAnnouncer, UsageSink {
  /** The team's epoch, and its limits under it. */
  standing(teamId: string): Promise<TeamStanding>;
  lease(teamId: string, wants: Want[]): Promise<Grant[]>;
  /** The team's limits, as far as the viewer sees them, with what is used of them. */
  usageOfLimits(teamId: string, viewer: LimitViewer): Promise<LimitUsage[]>;
  confirm(teamId: string, batchIds: string[]): Promise<void>;
}

/** For what no client waits for, a Meter has this long, in milliseconds. */
const REPORT_MS = 15_000;
/** And for what somebody waits for. */
const ANSWER_MS = 5_000;

export function createMeterClient(namespace: DurableObjectNamespace<Meter>): MeterClient {
  const of = (teamId: string) => namespace.get(namespace.idFromName(teamId));
  return {
    standing: (teamId) => of(teamId).standing(teamId),
    lease: (teamId, wants) => of(teamId).lease(teamId, wants),
    usageOfLimits: (teamId, viewer) =>
      orUnavailable(
        of(teamId).usageOfLimits(teamId, viewer),
        "The limits cannot be read right now",
      ),
    report: (teamId, batches, log) => within(REPORT_MS, of(teamId).report(teamId, batches, log)),
    confirm: (teamId, batchIds) => within(REPORT_MS, of(teamId).confirm(batchIds)),
    expectChange: (teamId) =>
      orUnavailable(
        of(teamId).expectChange(teamId),
        "The change was not made, since it cannot be told everywhere right now",
      ),
    raise: (teamId, epoch) => within(ANSWER_MS, of(teamId).raiseEpoch(teamId, epoch)),
  };
}

/** @throws AppError `unavailable` when the Meter does not answer in time */
async function orUnavailable<T>(work: Promise<T>, what: string): Promise<T> {
  try {
    return await within(ANSWER_MS, work);
  } catch (cause) {
    const message = `${what}. Try again in a moment.`;
    throw new AppError("unavailable", { message, retryAfterSeconds: 1, cause });
  }
}
