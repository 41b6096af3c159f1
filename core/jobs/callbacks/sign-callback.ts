import { Webhook } from "standardwebhooks";
import type { Context } from "../../kernel/context.ts";
import { readSecrets, secretPurpose } from "./callback-secret.ts";

/** A callback that is about to be sent. */
export interface UnsignedCallback {
  teamId: string;
  /** The same in each delivery. */
  id: string;
  /** When it is sent, in milliseconds since 1970. */
  at: number;
  payload: string;
}

/**
 * The header `webhook-signature` of Standard Webhooks: a signature by each secret that holds, with spaces between.
 * @returns null where the team has no secret
 */
export async function signCallback(
  context: Pick<Context, "db" | "now" | "secrets">,
  { teamId, id, at, payload }: UnsignedCallback,
): Promise<string | null> {
  const rows = await readSecrets(context, teamId);
  const signatures = await Promise.all(
    rows.map(async (row) => {
      const secret = await context.secrets.open(row.secretSealed, secretPurpose(teamId));
      return new Webhook(secret).sign(id, new Date(at), payload);
    }),
  );
  return signatures.length === 0 ? null : signatures.join(" ");
}
