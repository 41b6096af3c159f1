import { and, eq, isNotNull, isNull } from "drizzle-orm";
import { z } from "zod";
import { callbackSecrets } from "#schema";
import { audit } from "../../audit/audit.ts";
import type { TransactionContext } from "../../kernel/context.ts";
import { newId } from "../../kernel/ids.ts";
import { actorName, requireScope, requireTeam } from "../../kernel/principal.ts";
import { lockTeam } from "../../teams/reach-team.ts";
import { secretPurpose } from "./callback-secret.ts";

/** A week, in seconds. */
const GRACE_LIMIT = 604_800;

export const rotateCallbackSecretInput = z.strictObject({
  grace_seconds: z
    .number()
    .int()
    .min(0)
    .max(GRACE_LIMIT)
    .default(86_400)
    .describe("For how long callbacks are signed with the old secret as well; 0 ends it at once"),
});

/** A new secret, which is shown this once. */
export interface IssuedCallbackSecret {
  id: string;
  /** As Standard Webhooks writes it: `whsec_` and base64. */
  secret: string;
  createdAt: Date;
  /** When the one before stops to sign; null where there was none. */
  previousEndsAt: Date | null;
}

/** Bytes of a secret; Standard Webhooks asks for 24 to 64. */
const SECRET_BYTES = 32;

/**
 * Makes the first secret of a team's callbacks, or a new one. Until the grace of the old one ends, callbacks carry a
 * signature by each. There are two at most: a grace of an earlier rotation ends now.
 * @throws AppError `missing_scope` without the scope `admin`
 */
export async function rotateCallbackSecret(
  context: TransactionContext,
  { grace_seconds }: z.infer<typeof rotateCallbackSecretInput>,
): Promise<IssuedCallbackSecret> {
  const { principal, db } = context;
  requireScope(principal, "admin");
  const teamId = requireTeam(principal);
  await lockTeam(db, teamId);
  const now = context.now();
  const ofTeam = eq(callbackSecrets.teamId, teamId);
  await db.delete(callbackSecrets).where(and(ofTeam, isNotNull(callbackSecrets.endsAt)));
  const [previous] = await db
    .update(callbackSecrets)
    .set({ endsAt: new Date(now.getTime() + grace_seconds * 1000) })
    .where(and(ofTeam, isNull(callbackSecrets.endsAt)))
    .returning({ endsAt: callbackSecrets.endsAt });
  const secret = newSecret();
  const id = newId("callbackSecret", now.getTime());
  await db.insert(callbackSecrets).values({
    id,
    teamId,
    secretSealed: await context.secrets.seal(secret, secretPurpose(teamId)),
    createdBy: actorName(principal),
    createdAt: now,
  });
  const previousEndsAt = previous?.endsAt ?? null;
  const after = { secret_id: id, previous_ends_at: previousEndsAt };
  await audit(context, { action: "callback_secret.rotate", teamId, targetId: id, after });
  return { id, secret, createdAt: now, previousEndsAt };
}

function newSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
  return `whsec_${btoa(String.fromCharCode(...bytes))}`;
}
