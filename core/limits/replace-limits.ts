import { eq, inArray } from "drizzle-orm";
import { limits } from "#schema";
import { audit } from "../audit/audit.ts";
import type { TransactionContext } from "../kernel/context.ts";
import { AppError } from "../kernel/errors.ts";
import { newId } from "../kernel/ids.ts";
import { type LimitOwner, type LimitRow, toLimitRule } from "./limit.ts";
import { subjectOf, type WantedLimit } from "./limit-input.ts";
import { readLimits } from "./read-limits.ts";

/**
 * Makes these the limits of their owner, within the caller's transaction, which holds a lock on the owner's row. A
 * limit of the same subject keeps its id, and by it what was used of it; a soft one that becomes hard, or the other
 * way round, does too.
 * @throws AppError `validation_failed` when a raise is none or has ended
 */
export async function replaceLimits(
  context: TransactionContext,
  owner: LimitOwner,
  wanted: readonly WantedLimit[],
): Promise<LimitRow[]> {
  const now = context.now();
  requireRaises(wanted, now);
  const before = await readLimits(context.db, owner);
  const pairs = match(wanted, before);
  if (pairs.removed.length > 0)
    await context.db.delete(limits).where(inArray(limits.id, pairs.removed));
  for (const { limit, existing } of pairs.kept) {
    await context.db
      .update(limits)
      .set({ ...columnsOf(limit), updatedAt: now })
      .where(eq(limits.id, existing.id));
  }
  if (pairs.added.length > 0) {
    await context.db.insert(limits).values(
      pairs.added.map((limit, index) => ({
        ...owner,
        ...columnsOf(limit),
        // Ids sort by their time; one more millisecond each keeps the order of the list.
        id: newId("limit", now.getTime() + index),
        createdAt: now,
        updatedAt: now,
      })),
    );
  }
  const after = await readLimits(context.db, owner);
  await audit(context, {
    action: owner.keyId === null ? "team.limits.set" : "key.limits.set",
    teamId: owner.teamId,
    targetId: owner.keyId ?? owner.teamId,
    before: { limits: before.map(toLimitRule) },
    after: { limits: after.map(toLimitRule) },
  });
  return after;
}

interface Matches {
  kept: { limit: WantedLimit; existing: LimitRow }[];
  added: WantedLimit[];
  /** Ids. */
  removed: string[];
}

function match(wanted: readonly WantedLimit[], existing: readonly LimitRow[]): Matches {
  const left = new Map(existing.map((row) => [subjectOf(row), row]));
  const kept: Matches["kept"] = [];
  const take = (limits: readonly WantedLimit[], subject: (limit: WantedLimit) => string) =>
    limits.filter((limit) => {
      const row = left.get(subject(limit));
      if (!row) return true;
      left.delete(subject(limit));
      kept.push({ limit, existing: row });
      return false;
    });
  const others = take(wanted, subjectOf);
  const added = take(others, (limit) => subjectOf({ ...limit, soft: !limit.soft }));
  return { kept, added, removed: [...left.values()].map((row) => row.id) };
}

function columnsOf({ raise, ...limit }: WantedLimit) {
  const { unit, window, max, model, endUser, soft, onError } = limit;
  return {
    unit,
    window,
    max,
    model,
    endUser,
    soft,
    onError,
    ...(raise === undefined
      ? {}
      : { raiseMax: raise?.max ?? null, raiseUntil: raise?.until ?? null }),
  };
}

/** A raise ends within a year, so that it is not forgotten for good; in milliseconds. */
const RAISE_LIMIT = 366 * 24 * 60 * 60 * 1000;

/**
 * What is wrong with a raise, or null.
 * @returns the field at fault and a sentence
 */
export function raiseFault(
  raise: { max: number; until: Date },
  limit: { max: number },
  now: Date,
): { field: "max" | "until"; message: string } | null {
  const left = raise.until.getTime() - now.getTime();
  if (left <= 0) return { field: "until", message: "must be in the future" };
  if (left > RAISE_LIMIT) return { field: "until", message: "must be within a year" };
  if (raise.max <= limit.max) return { field: "max", message: "must be above the limit's own max" };
  return null;
}

function requireRaises(wanted: readonly WantedLimit[], now: Date): void {
  for (const [index, limit] of wanted.entries()) {
    const fault = limit.raise ? raiseFault(limit.raise, limit, now) : null;
    if (fault === null) continue;
    const path = `limits.${index}.raise.${fault.field}`;
    throw new AppError("validation_failed", {
      message: `${path}: ${fault.message}`,
      fields: [{ path, message: fault.message }],
    });
  }
}
