import type { ModelCall } from "../gateway/model-call.ts";
import { makeUsageRecord } from "../gateway/usage-tally.ts";
import type { AppError } from "../kernel/errors.ts";
import { limitName } from "../meter/limit-state.ts";
import type { UsageRecord } from "../usage/usage-record.ts";
import type { Skill } from "./skill.ts";

/** What stands for the model in usage records of skills, and in limits that hold for one of them. */
export const usedAs = (skill: Skill) => `skill:${skill.name}`;

/**
 * The one usage record of a use of a skill, among those of models: without tokens.
 * @param costMicros what it is charged, in micro-dollars
 */
export function skillRecord(
  call: ModelCall,
  skill: Skill,
  { costMicros, error }: { costMicros: number; error?: AppError },
  now: number,
): UsageRecord {
  const outcome = {
    status: error?.meaning.status ?? 200,
    errorCode: error?.code ?? null,
    tokens: { input: 0, output: 0 },
    estimated: false,
    firstTokenAt: null,
    refusedBy: error?.limit && limitName(error.limit.state),
  };
  return { ...makeUsageRecord(call, usedAs(skill), null, outcome, now), costMicros };
}
