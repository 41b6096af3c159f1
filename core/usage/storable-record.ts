import { RAIL_EVENTS } from "../guard-rails/rail-events.ts";
import { isId } from "../kernel/ids.ts";
import type { UsageRecord } from "./usage-record.ts";

/** Characters that are kept of each text. So a record has at most about 8 KB as JSON, whatever a client sent. */
const TEXT_LIMIT = 200;
const LARGEST_INTEGER = 2_147_483_647;
const LARGEST_SMALLINT = 32_767;

/** Postgres stores no NUL and no half of a surrogate pair; a name cut at a fixed length can end in one. */
function storableText(text: string): string {
  return text.slice(0, TEXT_LIMIT).toWellFormed().replaceAll("\u0000", "\ufffd");
}

const optionalText = (text: string | null) => (text === null ? null : storableText(text));

const within = (value: number, largest: number, smallest = 0) =>
  Number.isNaN(value) ? 0 : Math.min(Math.max(Math.trunc(value), smallest), largest);

/**
 * The record as Postgres can store it: texts cut and mended, numbers brought into their columns' range. Models, end
 * users and token counts come from outside, and one bad value must neither stop the others nor be lost with its cost.
 * Doing it twice changes nothing more.
 */
export function storableRecord(record: UsageRecord): UsageRecord {
  // Only the Meter's corrections take something back; they are named by their lease.
  const least = record.estimated && isId("lease", record.id) ? -1 : 0;
  return {
    ...record,
    id: storableText(record.id),
    attempt: within(record.attempt, LARGEST_SMALLINT),
    keyId: optionalText(record.keyId),
    sessionId: optionalText(record.sessionId),
    endUser: optionalText(record.endUser),
    model: storableText(record.model),
    provider: optionalText(record.provider),
    status: within(record.status, LARGEST_SMALLINT),
    errorCode: optionalText(record.errorCode),
    inputTokens: within(record.inputTokens, LARGEST_INTEGER, least * LARGEST_INTEGER),
    outputTokens: within(record.outputTokens, LARGEST_INTEGER, least * LARGEST_INTEGER),
    ...(record.cachedInputTokens === undefined
      ? {}
      : { cachedInputTokens: within(record.cachedInputTokens, LARGEST_INTEGER) }),
    ...(record.cacheWriteTokens === undefined
      ? {}
      : { cacheWriteTokens: within(record.cacheWriteTokens, LARGEST_INTEGER) }),
    costMicros: within(record.costMicros, Number.MAX_SAFE_INTEGER, least * Number.MAX_SAFE_INTEGER),
    latencyMs: within(record.latencyMs, LARGEST_INTEGER),
    firstTokenMs:
      record.firstTokenMs === null ? null : within(record.firstTokenMs, LARGEST_INTEGER),
    ...(record.guardRails
      ? { guardRails: record.guardRails.slice(0, RAIL_EVENTS.length).map(storableText) }
      : {}),
    ...(record.refusedBy ? { refusedBy: storableText(record.refusedBy) } : {}),
  };
}
