import type { UsageBatch } from "./usage-record.ts";

/** A batch as the Meter stores it: `records` is JSON. */
export type StoredBatch = { id: string; teamId: string; records: string };

export interface PackedMessage {
  teamId: string;
  batches: StoredBatch[];
}

/** Queues take 128 KB a message; the rest is for the envelope. */
export const MESSAGE_BYTES = 100_000;
/** What a batch adds to a message besides its records and its id: names, quotes and commas. */
const BATCH_BYTES = 32;

const encoder = new TextEncoder();

const bytesOf = (text: string) => encoder.encode(text).length;

/**
 * A batch in parts that each fit a message; nearly always one. Parts are cut the same way every time and named by
 * their number, so that a batch that is reported again is recognised by its parts.
 */
export function splitBatch(
  teamId: string,
  batch: UsageBatch,
  limit: number = MESSAGE_BYTES,
): StoredBatch[] {
  const parts: string[][] = [[]];
  let size = BATCH_BYTES + batch.id.length;
  for (const record of batch.records) {
    const json = JSON.stringify(record);
    const bytes = bytesOf(json) + 1;
    if (size + bytes > limit && parts.at(-1)?.length) {
      parts.push([]);
      size = BATCH_BYTES + batch.id.length;
    }
    parts.at(-1)?.push(json);
    size += bytes;
  }
  return parts.map((records, index) => ({
    id: index === 0 ? batch.id : `${batch.id}.${index}`,
    teamId,
    records: `[${records.join(",")}]`,
  }));
}

/** Packs batches into as few messages as fit, in their order. A batch larger than a message goes alone. */
export function packBatches(
  batches: StoredBatch[],
  limit: number = MESSAGE_BYTES,
): PackedMessage[] {
  const messages: PackedMessage[] = [];
  let size = 0;
  for (const batch of batches) {
    const bytes = bytesOf(batch.records) + batch.id.length + BATCH_BYTES;
    const last = messages.at(-1);
    if (last && last.teamId === batch.teamId && size + bytes <= limit) {
      last.batches.push(batch);
      size += bytes;
    } else {
      messages.push({ teamId: batch.teamId, batches: [batch] });
      size = bytes;
    }
  }
  return messages;
}

/**
 * A message as it travels: the JSON of a `usageMessage`, put together from the records' own JSON, since reading and
 * writing each record again would cost more than all else that the Meter does.
 */
export function messageText({ teamId, batches }: PackedMessage): string {
  const parts = batches.map(
    ({ id, records }) => `{"id":${JSON.stringify(id)},"records":${records}}`,
  );
  return `{"kind":"usage","teamId":${JSON.stringify(teamId)},"batches":[${parts.join(",")}]}`;
}
