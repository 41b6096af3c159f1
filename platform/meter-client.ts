import type { EpochAnnouncer } from "#core/kernel/context.ts";
import type { UsageBatch } from "#core/usage/usage-record.ts";
import type { Meter } from "./durable-objects/meter.ts";

/** The Meters as a Worker sees them: one for each team, found by the team's id. */
export interface MeterClient extends EpochAnnouncer {
  epoch(teamId: string): Promise<number>;
  report(teamId: string, batches: UsageBatch[]): Promise<void>;
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
