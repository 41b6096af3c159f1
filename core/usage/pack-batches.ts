/** A batch as the Meter stores it: `records` is JSON. */
export type StoredBatch = { id: string; teamId: string; records: string };

export interface PackedMessage {
  teamId: string;
  batches: StoredBatch[];
}

/** Queues take 128 KB a message; the rest is for the envelope and for characters that JSON escapes. */
export const MESSAGE_BYTES = 100_000;

const encoder = new TextEncoder();

/** Packs batches into as few messages as fit, in their order. A batch larger than a message goes alone. */
export function packBatches(
  batches: StoredBatch[],
  limit: number = MESSAGE_BYTES,
): PackedMessage[] {
  const messages: PackedMessage[] = [];
  let size = 0;
  for (const batch of batches) {
    const bytes = encoder.encode(batch.records).length + batch.id.length + 32;
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
