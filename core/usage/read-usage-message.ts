import { z } from "zod";
import { storableRecord } from "./storable-record.ts";
import { queueProbe, usageMessage, usageRecord, type UsageRecord } from "./usage-record.ts";

/** The last moment that ISO 8601 writes with four digits of year; Postgres reads no other form. */
const LAST_MOMENT = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** The envelope; records are judged one by one, so that a bad one does not take the others with it. */
const envelope = usageMessage.extend({
  batches: z.array(z.object({ id: z.string(), records: z.array(z.unknown()) })),
});
const message = z.discriminatedUnion("kind", [envelope, queueProbe]);
const acceptable = usageRecord.extend({ at: z.number().int().min(0).max(LAST_MOMENT) });

/** A record and whose it is. */
export interface TeamRecord {
  teamId: string;
  record: UsageRecord;
}

export type ReadUsageMessage =
  | { kind: "probe"; sentAt: number }
  | {
      kind: "usage";
      teamId: string;
      batchIds: string[];
      records: TeamRecord[];
      /** Records that are none, as they came. */
      rejected: unknown[];
    }
  | { kind: "unreadable"; reason: string };

/** Reads a message of the usage queue. It may come from an older or newer version of us, so nothing is taken on trust. */
export function readUsageMessage(body: unknown): ReadUsageMessage {
  const parsed = message.safeParse(typeof body === "string" ? parseJson(body) : body);
  if (!parsed.success) return { kind: "unreadable", reason: z.prettifyError(parsed.error) };
  if (parsed.data.kind === "probe") return parsed.data;
  const { teamId, batches } = parsed.data;
  const records: TeamRecord[] = [];
  const rejected: unknown[] = [];
  for (const candidate of batches.flatMap((batch) => batch.records)) {
    const record = acceptable.safeParse(candidate);
    if (record.success) records.push({ teamId, record: storableRecord(record.data) });
    else rejected.push(candidate);
  }
  return { kind: "usage", teamId, batchIds: batches.map((batch) => batch.id), records, rejected };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text; // which is no message, and is told so
  }
}
