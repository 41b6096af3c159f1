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

/** What a member is in the team. It says who the person is; what a request may do is said by its key. */
export const memberRole = z.enum(members.role.enumValues);

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

/** @throws AppError `conflict` */
export function emailTaken(email: string): AppError {
  return new AppError("conflict", {
    message: `The team has a member with the email ${email} already. Change that one, or use another email.`,
  });
}

/** @throws AppError `not_found` where the text cannot be a member's id */
export function memberIdOf(text: string): string {
  if (!isId("member", text)) throw noSuchMember();
  return text;
}
