import { AppError } from "../kernel/errors.ts";

/**
 * A key cannot be made to have ended already: revoking is the way to end one.
 * @throws AppError `validation_failed`
 */
export function requireFuture(expiresAt: Date | null | undefined, now: Date): void {
  if (!expiresAt || expiresAt.getTime() > now.getTime()) return;
  throw new AppError("validation_failed", {
    message: "expires_at: must be in the future. To end a key now, revoke it.",
    fields: [{ path: "expires_at", message: "must be in the future" }],
  });
}
