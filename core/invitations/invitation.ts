import { and, eq } from "drizzle-orm";
import { invitations } from "#schema";
import { sha256Hex } from "../kernel/digest.ts";
import { AppError } from "../kernel/errors.ts";
import { isId } from "../kernel/ids.ts";

export type InvitationRow = typeof invitations.$inferSelect;

/** An invitation as the verbs return it: everything but what it could be found by. */
export type Invitation = Omit<InvitationRow, "tokenHash"> & { state: InvitationState };

/** `open` lets people in; the others do not any more. */
export type InvitationState = "open" | "used" | "expired" | "revoked";

/** @param now for whom it is over */
export function stateOf(row: InvitationRow, now: Date): InvitationState {
  if (row.revokedAt !== null) return "revoked";
  if (row.used >= row.uses) return "used";
  return row.expiresAt <= now ? "expired" : "open";
}

export function toInvitation(row: InvitationRow, now: Date): Invitation {
  const { tokenHash: _, ...rest } = row;
  return { ...rest, state: stateOf(row, now) };
}

/** Crockford's base 32; a start parameter of Telegram's deep links may hold A-Z, a-z, 0-9, _ and -, up to 64 of them. */
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const LENGTH = 32;
const PREFIX = "inv_";

/** A new secret of a link, such as `inv_4k…`: 160 random bits. Only its hash is stored. */
export function newInvitationToken(): string {
  let token = PREFIX;
  for (const byte of crypto.getRandomValues(new Uint8Array(LENGTH)))
    token += ALPHABET.charAt(byte & 31);
  return token;
}

/** Whether a text has the shape of a link's secret, so that a wrong one costs no query. */
export function isInvitationToken(text: string): boolean {
  return text.length === PREFIX.length + LENGTH && /^inv_[0-9a-hjkmnp-tv-z]+$/.test(text);
}

/** The condition that finds the invitation of a secret. */
export async function byToken(token: string) {
  return eq(invitations.tokenHash, await sha256Hex(token));
}

/** The condition that finds a team's invitation. @throws AppError `not_found` where the text cannot be the id of one */
export function byId(teamId: string, invitationId: string) {
  if (!isId("invitation", invitationId)) throw noSuchInvitation();
  return and(eq(invitations.id, invitationId), eq(invitations.teamId, teamId));
}

/** The one answer for an invitation that is not there and for one of another team. */
export function noSuchInvitation(): AppError {
  return new AppError("not_found", { message: "There is no such invitation in this team." });
}

/** The one answer for every secret that is none, however near it comes to one. */
export function unknownToken(): AppError {
  return new AppError("not_found", {
    message: "There is no such invitation. Check that the link was copied whole.",
  });
}

const ENDED = {
  used: "This invitation has been used.",
  expired: "This invitation is over its time.",
  revoked: "This invitation was revoked.",
  unbacked: "Whoever made this invitation may not invite to this role any more.",
} as const;

/** Why somebody with the right secret is not let in. */
export function invitationEnded(why: keyof typeof ENDED): AppError {
  return new AppError("invitation_ended", {
    message: `${ENDED[why]} Ask the team for a new one.`,
    details: { why },
  });
}
