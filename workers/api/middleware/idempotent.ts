import { and, eq } from "drizzle-orm";
import { sha256Hex } from "#core/kernel/digest.ts";
import type { Context, TransactionContext } from "#core/kernel/context.ts";
import { AppError } from "#core/kernel/errors.ts";
import type { Principal } from "#core/kernel/principal.ts";
import { idempotencyKeys } from "#schema";
import type { AppContext } from "../app-types.ts";

/** For how long an answer is given again, in milliseconds. */
export const IDEMPOTENCY_MS = 24 * 60 * 60 * 1000;

/** A successful answer of a creating route. */
export interface Created<Body> {
  status: 200 | 201 | 202;
  body: Body;
}

/** Whose idempotency keys these are: nobody meets another caller's. */
export function ownerOf(principal: Principal): string {
  if (principal.kind === "key") return `key:${principal.keyId}`;
  if (principal.kind === "token" || principal.kind === "person") {
    const { teamId, issuer, subject } = principal;
    return `token:${JSON.stringify([teamId, issuer, subject])}`; // a subject may hold any sign
  }
  if (principal.kind === "telegram") return `telegram:${principal.teamId}:${principal.chatId}`;
  if (principal.kind === "job") return `job:${principal.jobId}`;
  return `super_admin:${principal.teamId ?? ""}`;
}

/**
 * The request's Idempotency-Key, or null.
 * @throws AppError `invalid_request` where it is none
 */
export function idempotencyKeyOf(c: AppContext): string | null {
  const key = c.req.header("idempotency-key");
  if (key === undefined) return null;
  if (/^[\x20-\x7e]{1,255}$/.test(key)) return key;
  throw new AppError("invalid_request", {
    message: "Idempotency-Key must have 1 to 255 printable ASCII characters.",
  });
}

/**
 * Runs a creating verb in one transaction. With an Idempotency-Key, the answer is written in that same transaction:
 * the same key and body give it again for 24 hours, another body is refused, and two at once make one thing.
 * @param fingerprint what stands for a body that was read already, such as a file's hash
 * @throws AppError `idempotency_mismatch`, `invalid_request`
 */
export async function idempotent<Body>(
  c: AppContext,
  work: (context: TransactionContext) => Promise<Created<Body>>,
  fingerprint?: string,
): Promise<Created<Body>> {
  const context = c.get("context");
  const key = idempotencyKeyOf(c);
  if (key === null) return context.transaction(work);
  const owner = ownerOf(context.principal);
  const requestHash = await sha256Hex(
    `${c.req.method} ${c.req.path}\n${fingerprint ?? (await c.req.text())}`,
  );
  return context.transaction(async (inner) => {
    const earlier = await claim(inner, owner, key, requestHash);
    if (earlier) {
      c.header("idempotent-replayed", "true");
      const body = JSON.parse(
        await inner.secrets.open(earlier.responseSealed, `idempotency:${owner}`),
      );
      return { status: earlier.status as Created<Body>["status"], body }; // written below, from a Created
    }
    const created = await work(inner);
    const responseSealed = await inner.secrets.seal(
      JSON.stringify(created.body),
      `idempotency:${owner}`,
    );
    await inner.db
      .update(idempotencyKeys)
      .set({ status: created.status, responseSealed })
      .where(and(eq(idempotencyKeys.owner, owner), eq(idempotencyKeys.key, key)));
    return created;
  });
}

/** Takes the key for this transaction, or returns the answer that it already has. A second request waits here for the first. */
async function claim(context: Context, owner: string, key: string, requestHash: string) {
  const { db } = context;
  const mine = and(eq(idempotencyKeys.owner, owner), eq(idempotencyKeys.key, key));
  const fresh = {
    owner,
    key,
    requestHash,
    status: 0,
    responseSealed: "",
    createdAt: context.now(),
  };
  const inserted = await db
    .insert(idempotencyKeys)
    .values(fresh)
    .onConflictDoNothing()
    .returning({ key: idempotencyKeys.key });
  if (inserted.length > 0) return null;
  const [row] = await db.select().from(idempotencyKeys).where(mine).for("update");
  if (!row || context.now().getTime() - row.createdAt.getTime() > IDEMPOTENCY_MS) {
    await db.delete(idempotencyKeys).where(mine);
    await db.insert(idempotencyKeys).values(fresh);
    return null;
  }
  if (row.requestHash === requestHash) return row;
  throw new AppError("idempotency_mismatch", {
    message:
      "This Idempotency-Key was used for another request in the last 24 hours. Use a new one.",
  });
}
