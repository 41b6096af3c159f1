import { and, eq } from "drizzle-orm";
import { z } from "zod";
import { creditGrants, limits } from "#schema";
import { audit } from "../audit/audit.ts";
import type { Context, TransactionContext } from "../kernel/context.ts";
import { AppError } from "../kernel/errors.ts";
import { newId } from "../kernel/ids.ts";
import { dollarsToMicros, type Micros } from "../kernel/money.ts";
import { requireSuperAdmin } from "../kernel/principal.ts";
import { line } from "../kernel/text.ts";
import { maxAt } from "../meter/limit-windows.ts";
import { lockTeam, reachTeam } from "../teams/reach-team.ts";
import { changeTeam } from "../teams/team-epoch.ts";
import { type LimitRow, toLimitRule } from "./limit.ts";

/** What a team may have been granted altogether, in micro-dollars. */
const CREDITS_LIMIT = 999_999_999_999_999;

const AMOUNT = 'must be a decimal string in US dollars, not zero, such as "100.00" or "-5.00"';

const signedAmount = z.string(AMOUNT).transform((text, check): Micros => {
  const micros = dollarsToMicros(text.replace(/^-/, ""));
  if (micros !== null && micros !== 0) return text.startsWith("-") ? -micros : micros;
  check.addIssue({ code: "custom", message: AMOUNT });
  return z.NEVER;
});

const refillAmount = z.string(AMOUNT).transform((text, check): Micros => {
  const micros = dollarsToMicros(text);
  if (micros !== null && micros !== 0) return micros;
  check.addIssue({ code: "custom", message: 'must be a decimal string above zero, as in "10.00"' });
  return z.NEVER;
});

export const grantCreditsInput = z.strictObject({
  amount: signedAmount.describe("US dollars; below zero takes credits back"),
  reason: line(200),
  refill: z
    .strictObject({ amount: refillAmount, every: z.enum(["day", "week", "month"]) })
    .nullable()
    .optional()
    .describe(
      "Added at the start of each period from now on, by UTC; null ends it, left out it stays",
    ),
});

export type CreditGrant = typeof creditGrants.$inferSelect;

/** A grant, and what it led to. */
export interface Granted {
  grant: CreditGrant;
  /** The team's prepaid credits; its `max` is the sum of all that was granted and refilled. */
  credits: LimitRow;
}

/**
 * Grants a team prepaid credits; from the first grant on, it spends no more than it was granted. Holds everywhere
 * within a second. Super admins only. Runs in the caller's transaction.
 * @throws AppError `forbidden`, `not_found`, `validation_failed` when the sum would be below zero or too large
 */
export async function grantCredits(
  context: Context,
  input: z.infer<typeof grantCreditsInput> & { teamId: string },
): Promise<Granted> {
  requireSuperAdmin(context.principal);
  const teamId = reachTeam(context.principal, input.teamId);
  return changeTeam(context, teamId, async (inner) => {
    await lockTeam(inner.db, teamId);
    const before = await readCredits(inner, teamId);
    const settled = before ? maxAt(toLimitRule(before), context.now().getTime()) : 0;
    if (before && settled > before.max)
      await addToLedger(inner, {
        teamId,
        kind: "refill",
        amountMicros: settled - before.max,
        reason: "Refills until now",
      });
    const max = settled + input.amount;
    if (max < 0 || max > CREDITS_LIMIT) throw outOfBounds(max);
    const credits = await store(inner, { teamId, before, max, refill: input.refill });
    const grant = await addToLedger(inner, {
      teamId,
      kind: "grant",
      amountMicros: input.amount,
      reason: input.reason,
    });
    await audit(inner, {
      action: "team.credits.grant",
      teamId,
      targetId: teamId,
      before: { credits: before?.max ?? 0 },
      after: { credits: credits.max, reason: grant.reason },
    });
    return { grant, credits };
  });
}

/** The limit that holds a team's prepaid credits; undefined where it has none. */
export async function readCredits(
  context: Pick<Context, "db">,
  teamId: string,
): Promise<LimitRow | undefined> {
  const [row] = await context.db
    .select()
    .from(limits)
    .where(and(eq(limits.teamId, teamId), eq(limits.prepaid, true)));
  return row;
}

interface Change {
  teamId: string;
  before: LimitRow | undefined;
  max: number;
  refill: z.infer<typeof grantCreditsInput>["refill"];
}

/** Writes the new sum. What was refilled until now is in it, so that refills count from now on. */
async function store(context: TransactionContext, change: Change): Promise<LimitRow> {
  const { teamId, before, max } = change;
  const now = context.now();
  const columns = { max, updatedAt: now, ...refillColumns(change, now) };
  const [row] = before
    ? await context.db.update(limits).set(columns).where(eq(limits.id, before.id)).returning()
    : await context.db
        .insert(limits)
        .values({
          id: newId("limit", now.getTime()),
          teamId,
          prepaid: true,
          unit: "usd",
          window: "total",
          onError: "closed",
          createdAt: now,
          ...columns,
        })
        .returning();
  if (!row) throw new AppError("internal_error", { message: "Nothing was stored. Try again." });
  return row;
}

function refillColumns({ refill, before }: Change, now: Date) {
  if (refill === null) return { refillAmount: null, refillEvery: null, refillSince: null };
  if (refill) return { refillAmount: refill.amount, refillEvery: refill.every, refillSince: now };
  return before?.refillSince ? { refillSince: now } : {};
}

async function addToLedger(
  context: TransactionContext,
  entry: Pick<CreditGrant, "teamId" | "kind" | "amountMicros" | "reason">,
): Promise<CreditGrant> {
  const now = context.now();
  const createdBy = entry.kind === "grant" ? "super_admin" : "system";
  const [row] = await context.db
    .insert(creditGrants)
    // A refill comes before the grant that it is written with.
    .values({
      ...entry,
      createdBy,
      id: newId("credit", now.getTime() + (entry.kind === "grant" ? 1 : 0)),
      createdAt: now,
    })
    .returning();
  if (!row) throw new AppError("internal_error", { message: "Nothing was stored. Try again." });
  return row;
}

function outOfBounds(sum: number): AppError {
  const message =
    sum < 0 ? "takes back more than was ever granted" : "is more than a team may have";
  return new AppError("validation_failed", {
    message: `amount: ${message}`,
    fields: [{ path: "amount", message }],
  });
}
