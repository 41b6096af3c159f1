import type { EpochAnnouncer } from "#core/kernel/context.ts";
import type { Meter } from "./durable-objects/meter.ts";
import type { UsageSink } from "./usage-reporter.ts";

/** The Meters as a Worker sees them: one for each team, found by the team's id. */
export interface MeterClient extends EpochAnnouncer, UsageSink {
  epoch(teamId: string): Promise<number>;
  confirm(teamId: string, batchIds: string[]): Promise<void>;
}

export function createMeterClient(namespace: DurableObjectNamespace<Meter>): MeterClient {
  const of = (teamId: string) => namespace.get(namespace.idFromName(teamId));
  return {
    epoch: (teamId) => of(teamId).epoch(teamId),
    report: (teamId, batches) => of(teamId).report(teamId, batches),
    confirm: (teamId, batchIds) => of(teamId).confirm(batchIds),
    expectChange: (teamId) => of(teamId).expectChange(teamId),
    raise: (teamId, epoch) => of(teamId).raiseEpoch(teamId, epoch),
  };
}
