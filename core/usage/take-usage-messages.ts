import type { Context, Database } from "../kernel/context.ts";
import { isDataError } from "../kernel/postgres-errors.ts";
import { recordQueueProbe } from "../schedules/record-queue-probe.ts";
import { type DeadLetter, keepDeadLetters } from "./dead-letters.ts";
import { readUsageMessage, type TeamRecord } from "./read-usage-message.ts";
import { type StoredUsage, storeUsageRecords } from "./store-usage-records.ts";

const QUEUE = "usage";

export interface TakenMessages extends StoredUsage {
  /** Batches that are stored, by team, to be confirmed to its Meter. */
  batches: Map<string, string[]>;
  /** Records in the messages, those that were stored before included. */
  records: number;
  /** Messages and records that could not be used; they are kept in dead_letters. */
  dead: number;
}

/**
 * Takes messages of the usage queue for good: records go to Postgres in one statement for all teams, what cannot be
 * used is set aside.
 * @throws what the database throws, with nothing taken that a second try would count twice
 */
export async function takeUsageMessages(
  context: Pick<Context, "db" | "now" | "log">,
  bodies: readonly unknown[],
): Promise<TakenMessages> {
  const records: TeamRecord[] = [];
  const dead: DeadLetter[] = [];
  const batches = new Map<string, string[]>();
  for (const body of bodies) {
    const message = readUsageMessage(body);
    if (message.kind === "probe") await recordQueueProbe(context, message.sentAt);
    if (message.kind === "unreadable") dead.push({ body, reason: message.reason });
    if (message.kind !== "usage") continue;
    for (const record of message.records) records.push(record);
    for (const record of message.rejected)
      dead.push({ body: { teamId: message.teamId, record }, reason: "not a usage record" });
    batches.set(message.teamId, [...(batches.get(message.teamId) ?? []), ...message.batchIds]);
  }
  const stored = await storeOrSetAside(context.db, records, dead);
  await keepDeadLetters(context.db, QUEUE, dead);
  if (dead.length > 0)
    context.log.error("usage_set_aside", {
      count: dead.length,
      reasons: dead.slice(0, 3).map((letter) => letter.reason),
    });
  if (stored.late > 0) context.log.error("usage_for_closed_hours", { count: stored.late });
  return { ...stored, batches, records: records.length, dead: dead.length };
}

/**
 * Stores records. Where Postgres refuses a value that got past every check, halves are tried until the record at fault
 * is found, so that the others are stored.
 */
async function storeOrSetAside(
  db: Database,
  records: readonly TeamRecord[],
  dead: DeadLetter[],
): Promise<StoredUsage> {
  try {
    return await storeUsageRecords(db, records);
  } catch (error) {
    if (!isDataError(error)) throw error;
    if (records.length === 1) {
      dead.push({ body: records[0], reason: "Postgres refuses a value of the record" });
      return { inserted: 0, late: 0 };
    }
    const middle = Math.ceil(records.length / 2);
    const first = await storeOrSetAside(db, records.slice(0, middle), dead);
    const second = await storeOrSetAside(db, records.slice(middle), dead);
    return { inserted: first.inserted + second.inserted, late: first.late + second.late };
  }
}
