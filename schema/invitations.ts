import { index, integer, pgTable, primaryKey, text, uniqueIndex } from "drizzle-orm/pg-core";
import { createdAt, moment } from "./columns.ts";
import { ROLES, teams } from "./teams.ts";

/** Links by which people join a team. */
export const invitations = pgTable(
  "invitations",
  {
    id: text("id").primaryKey(),
    teamId: text("team_id")
      .notNull()
      .references(() => teams.id, { onDelete: "cascade" }),
    /** SHA-256 of the link's secret, hex. */
    tokenHash: text("token_hash").notNull(),
    role: text("role", { enum: ROLES }).notNull(),
    /** For whom it is: only a token with this verified e-mail is let in. Lower case; null lets in whoever has the link. */
    email: text("email"),
    /** What the new member is called; null leaves it to their token. */
    name: text("name"),
    /** How many people it lets in, and how many it has let in. */
    uses: integer("uses").notNull(),
    used: integer("used").notNull().default(0),
    expiresAt: moment("expires_at").notNull(),
    revokedAt: moment("revoked_at"),
    /** Who made it: `key:key_…`, `member:mem_…`, `super_admin` and so on. */
    createdBy: text("created_by").notNull(),
    createdAt: createdAt(),
  },
  (table) => [
    uniqueIndex("invitations_token_hash_unique").on(table.tokenHash),
    index("invitations_team_index").on(table.teamId, table.id),
  ],
);

/**
 * Whom an invitation has let in. One who follows the link again is no second one; one who was removed from the team
 * does not come back by it, so that a use outlives its member.
 */
export const invitationUses = pgTable(
  "invitation_uses",
  {
    invitationId: text("invitation_id")
      .notNull()
      .references(() => invitations.id, { onDelete: "cascade" }),
    /** The person, as in `members`. */
    issuer: text("issuer").notNull(),
    subject: text("subject").notNull(),
    memberId: text("member_id").notNull(),
    usedAt: moment("used_at").notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.invitationId, table.issuer, table.subject] })],
);
