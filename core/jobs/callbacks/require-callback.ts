import { and, eq, isNull } from "drizzle-orm";
import { callbackSecrets } from "#schema";
import type { Context } from "../../kernel/context.ts";
import { AppError } from "../../kernel/errors.ts";
import { addressFault } from "../../kernel/public-address.ts";

export interface WantedCallback {
  teamId: string;
  /** Null where none is wanted. */
  url: string | null;
  /** Development only: private addresses are fine. */
  allowPrivate: boolean;
}

/**
 * Checks that a callback may go to an address, and that it could be signed: none is ever sent without a signature.
 * The address is judged again before each delivery.
 * @throws AppError `validation_failed`
 */
export async function requireCallback(context: Context, wanted: WantedCallback): Promise<void> {
  const { url, teamId } = wanted;
  if (url === null) return;
  const fault = addressFault(url, wanted);
  if (fault !== null) throw invalid(fault.message);
  const [secret] = await context.db
    .select({ id: callbackSecrets.id })
    .from(callbackSecrets)
    .where(and(eq(callbackSecrets.teamId, teamId), isNull(callbackSecrets.endsAt)));
  if (!secret)
    throw invalid(
      "needs a secret to sign with; make one by POST /v1/jobs/callback-secret/rotate first",
    );
}

function invalid(message: string): AppError {
  return new AppError("validation_failed", {
    message: `callback_url: ${message}`,
    fields: [{ path: "callback_url", message }],
  });
}
