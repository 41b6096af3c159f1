import { z } from "zod";
import { members } from "#schema";
import { AppError } from "../kernel/errors.ts";
import { isId } from "../kernel/ids.ts";
import { line } from "../kernel/text.ts";

/** A person of a team. */
export type Member = typeof members.$inferSelect;

/** Which member of which team a request names. */
export interface MemberReference {
  teamId: string;
  memberId: string;
}

/** What a member is in the team, and so what the person's tokens may do; keys have scopes of their own. */
export const memberRole = z.enum(members.role.enumValues);

/** Who the person is at an OIDC issuer. With it their tokens are known by this alone, and not by their e-mail. */
export const memberIdentity = z
  .strictObject({ issuer: z.url().max(500), subject: line(255) })
  .describe(
    "The person's `sub` at one of OIDC_ISSUERS; with it their tokens are known by this, not by e-mail",
  );

export function identityColumns(identity: z.infer<typeof memberIdentity> | null) {
  return { issuer: identity?.issuer ?? null, subject: identity?.subject ?? null };
}

export const memberName = line(200);

/** Compared and stored in lower case, so that one person is not added twice. */
export const memberEmail = z
  .string()
  .trim()
  .toLowerCase()
  .max(254)
  .pipe(z.email("must be an email address"));

/** The one answer for a member who is not there and for one of another team. */
export function noSuchMember(): AppError {
  return new AppError("not_found", { message: "There is no such member in this team." });
}

/** Says that a team has the person already, by e-mail or by identity. */
export function alreadyMember(email: string | undefined): AppError {
  return new AppError("conflict", {
    message: `The team has a member with ${email === undefined ? "this identity" : `the email ${email} or this identity`} already. Change that one.`,
  });
}

/** @throws AppError `not_found` where the text cannot be a member's id */
export function memberIdOf(text: string): string {
  if (!isId("member", text)) throw noSuchMember();
  return text;
}
