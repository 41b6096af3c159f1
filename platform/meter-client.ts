import type { EpochAnnouncer } from "#core/kernel/context.ts";
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

export function createMeterClient(namespace: DurableObjectNamespace<Meter>): MeterClient {
  const of = (teamId: string) => namespace.get(namespace.idFromName(teamId));
  return {
    standing: (teamId) => of(teamId).standing(teamId),
    lease: (teamId, wants) => of(teamId).lease(teamId, wants),
    usageOfLimits: (teamId, viewer) => of(teamId).usageOfLimits(teamId, viewer),
    report: (teamId, batches, log) => of(teamId).report(teamId, batches, log),
    confirm: (teamId, batchIds) => of(teamId).confirm(batchIds),
    expectChange: (teamId) => of(teamId).expectChange(teamId),
    raise: (teamId, epoch) => of(teamId).raiseEpoch(teamId, epoch),
  };
}
