import { and, eq, isNull, type SQL, sql } from "drizzle-orm";
import { invitations, invitationUses, members, teams } from "#schema";
import type { Actor } from "../audit/actor.ts";
import { audit } from "../audit/audit.ts";
import type { Database, TransactionContext } from "../kernel/context.ts";
import { AppError } from "../kernel/errors.ts";
import { newId } from "../kernel/ids.ts";
import type { Member } from "../members/member.ts";
import type { Person } from "../members/person.ts";
import { higherRole, isAtLeast } from "../members/role-rank.ts";
import { holdTeam } from "../teams/reach-team.ts";
import { type InvitationRow, invitationEnded, stateOf, unknownToken } from "./invitation.ts";
import { isStillBacked } from "./still-backed.ts";

/** What admitting somebody needs of a context; the bot's has no more. */
export type AdmittingTransaction = Pick<
  TransactionContext,
  "principal" | "requestId" | "source" | "log" | "now" | "db" | "inTransaction"
>;

/** Who may come in, by which invitation, and as whom the audit log names them. */
export interface Applicant {
  /** Finds the invitation by its secret; see byToken. */
  invitation: SQL;
  teamId: string;
  person: Person;
  actor: Actor;
}

/** What an accepted invitation has led to. */
export interface Admission {
  teamId: string;
  teamName: string;
  member: Member;
  /** Whether anything changed: false for who was in the team already with as much of a role. */
  changed: boolean;
}

/**
 * Makes a person a member by an invitation. Who is one already keeps the higher role; who comes again, or would gain
 * nothing, is answered alike and uses nothing up. Two people who follow the last use of a link wait for each other, and
 * one is let in.
 * @throws AppError `not_found` when the team or the invitation is gone, `invitation_ended`, `forbidden` for an
 * invitation for another e-mail, `conflict` when the e-mail is that of a member whom the invitation is not for
 */
export async function admitPerson(
  inner: AdmittingTransaction,
  applicant: Applicant,
): Promise<Admission> {
  const { teamId, person } = applicant;
  // Members first, then the team, then its invitations: the order in which deleting a team locks them.
  await findMember(inner.db, teamId, person, person.email);
  await holdTeam(inner.db, teamId);
  const [invitation] = await inner.db
    .select()
    .from(invitations)
    .where(applicant.invitation)
    .for("update");
  if (!invitation) throw unknownToken();
  // As it is now that nobody else comes in by this link.
  const member = await findMember(inner.db, teamId, person, invitation.email);
  const came = await hasUsed(inner.db, invitation.id, person);
  if (member && (came || !gains(member, invitation))) return admission(inner.db, member, false);
  if (came) throw invitationEnded("used");
  await requireOpen(inner, invitation, person);
  const admitted = member
    ? await raise(inner, { member, invitation, applicant })
    : await enrol(inner, { invitation, applicant });
  await noteUse(inner, { invitation, applicant, memberId: admitted.id });
  return admission(inner.db, admitted, true);
}

/** Whether a member would have more by an invitation than before: a higher role, or an identity of their own. */
const gains = (member: Member, invitation: InvitationRow) =>
  member.issuer === null || !isAtLeast(member.role, invitation.role);

/**
 * The person's membership, locked: by who they are at the issuer, else by an e-mail that nobody has claimed yet.
 * @param claimed the e-mail by which a membership may be claimed: that of the invitation, since whoever made it took
 * the e-mail for proof enough
 */
async function findMember(
  db: Database,
  teamId: string,
  { issuer, subject, email }: Person,
  claimed: string | null,
): Promise<Member | null> {
  const find = async (who: SQL | undefined) => {
    const own = and(eq(members.teamId, teamId), who);
    const [member] = await db.select().from(members).where(own).for("update");
    return member ?? null;
  };
  const known = await find(and(eq(members.issuer, issuer), eq(members.subject, subject)));
  if (known || email === null || email !== claimed) return known;
  return find(and(eq(members.email, email), isNull(members.issuer)));
}

async function hasUsed(db: Database, invitationId: string, person: Person): Promise<boolean> {
  const { issuer, subject } = person;
  const own = and(eq(invitationUses.issuer, issuer), eq(invitationUses.subject, subject));
  const rows = await db
    .select({ usedAt: invitationUses.usedAt })
    .from(invitationUses)
    .where(and(eq(invitationUses.invitationId, invitationId), own));
  return rows.length > 0;
}

async function requireOpen(
  inner: AdmittingTransaction,
  invitation: InvitationRow,
  person: Person,
): Promise<void> {
  const state = stateOf(invitation, inner.now());
  if (state !== "open") throw invitationEnded(state);
  if (invitation.email !== null && invitation.email !== person.email)
    throw new AppError("forbidden", {
      message:
        "This invitation is for another e-mail address. Sign in with an account that has it, verified, or ask the team for a new invitation.",
    });
  if (!(await isStillBacked(inner.db, invitation))) throw invitationEnded("unbacked");
}

async function enrol(
  inner: AdmittingTransaction,
  { invitation, applicant }: { invitation: InvitationRow; applicant: Applicant },
): Promise<Member> {
  const { person, teamId, actor } = applicant;
  const now = inner.now();
  const name = invitation.name ?? person.name ?? person.email ?? person.subject;
  const [member] = await inner.db
    .insert(members)
    .values({
      id: newId("member", now.getTime()),
      teamId,
      name: name.slice(0, 200),
      email: person.email,
      role: invitation.role,
      issuer: person.issuer,
      subject: person.subject,
      createdAt: now,
      updatedAt: now,
    })
    .onConflictDoNothing() // of the e-mail
    .returning();
  if (!member)
    throw new AppError("conflict", {
      message:
        "The team has a member with your e-mail already, and this link is not for that member. Sign in as before, or ask an admin of the team for an invitation for your e-mail.",
    });
  await audit(inner, {
    action: "member.create",
    teamId,
    targetId: member.id,
    actor,
    after: member,
  });
  return member;
}

async function raise(
  inner: AdmittingTransaction,
  change: { member: Member; invitation: InvitationRow; applicant: Applicant },
): Promise<Member> {
  const { member: before, invitation, applicant } = change;
  const { person, teamId, actor } = applicant;
  const [after] = await inner.db
    .update(members)
    .set({
      role: higherRole(before.role, invitation.role),
      issuer: person.issuer,
      subject: person.subject,
      updatedAt: inner.now(),
    })
    .where(eq(members.id, before.id))
    .returning();
  if (!after) throw unknownToken();
  await audit(inner, {
    action: "member.update",
    teamId,
    targetId: before.id,
    actor,
    before,
    after,
  });
  return after;
}

async function noteUse(
  inner: AdmittingTransaction,
  use: { invitation: InvitationRow; applicant: Applicant; memberId: string },
): Promise<void> {
  const { invitation, applicant, memberId } = use;
  const { person, teamId, actor } = applicant;
  const { issuer, subject } = person;
  await inner.db
    .update(invitations)
    .set({ used: sql`${invitations.used} + 1` })
    .where(eq(invitations.id, invitation.id));
  await inner.db
    .insert(invitationUses)
    .values({ invitationId: invitation.id, issuer, subject, memberId, usedAt: inner.now() });
  await audit(inner, {
    action: "invitation.accept",
    teamId,
    targetId: invitation.id,
    actor,
    after: { member_id: memberId, used: invitation.used + 1 },
  });
}

async function admission(db: Database, member: Member, changed: boolean): Promise<Admission> {
  const { teamId } = member;
  const [team] = await db.select({ name: teams.name }).from(teams).where(eq(teams.id, teamId));
  return { teamId, teamName: team?.name ?? teamId, member, changed };
}
