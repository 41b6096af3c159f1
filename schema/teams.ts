import { sql } from "drizzle-orm";
import { bigint, index, integer, jsonb, pgTable, text, uniqueIndex } from "drizzle-orm/pg-core";
import { createdAt, moment } from "./columns.ts";

/** What a person can be in a team, the one who may do most first. */
export const ROLES = ["owner", "admin", "member", "viewer"] as const;

/** Whoever pays: everything else belongs to one team. */
export const teams = pgTable("teams", {
  id: text("id").primaryKey(),
  name: text("name").notNull(),
  /** Grows with each change that cached key records must not survive. The team's Meter mirrors it. */
  epoch: bigint("epoch", { mode: "number" }).notNull().default(1),
  /** From which addresses the team may be reached, as for keys; both have to agree. */
  ipAllow: text("ip_allow")
    .array()
    .notNull()
    .default(sql`'{}'::text[]`),
  ipDeny: text("ip_deny")
    .array()
    .notNull()
    .default(sql`'{}'::text[]`),
  /** Origins of web pages that may call the API for this team, beside ALLOWED_ORIGINS. */
  allowedOrigins: text("allowed_origins")
    .array()
    .notNull()
    .default(sql`'{}'::text[]`),
  /** The largest JSON body, in bytes; null is the gateway's own limit. */
  maxBodyBytes: integer("max_body_bytes"),
  /** What may not go to a model, and not come from one; null is no rule. `core/guard-rails/rules.ts` says its shape. */
  guardRails: jsonb("guard_rails").$type<unknown>(),
  /** SHA-256 of the rules, which names them in caches. */
  guardRailsDigest: text("guard_rails_digest"),
  /** Names of skills that the team has switched off. */
  skillsOff: text("skills_off")
    .array()
    .notNull()
    .default(sql`'{}'::text[]`),
  createdAt: createdAt(),
  updatedAt: moment("updated_at").notNull().defaultNow(),
});

/** People of a team. */
export const members = pgTable(
  "members",
  {
    id: text("id").primaryKey(),
    teamId: text("team_id")
      .notNull()
      .references(() => teams.id, { onDelete: "cascade" }),
    name: text("name").notNull(),
    /** Stored in lower case; null for people of whom none is known, as of those who come by Telegram. */
    email: text("email"),
    role: text("role", { enum: ROLES }).notNull(),
    /**
     * The person's own name at one OIDC issuer: with it, a token is theirs by this and not by its e-mail. People who
     * came by Telegram have TELEGRAM_ISSUER (core/members/person.ts) and their user id.
     */
    issuer: text("issuer"),
    subject: text("subject"),
    createdAt: createdAt(),
    updatedAt: moment("updated_at").notNull().defaultNow(),
  },
  (table) => [
    uniqueIndex("members_team_email_unique").on(table.teamId, table.email),
    uniqueIndex("members_team_subject_unique").on(table.teamId, table.issuer, table.subject),
    index("members_email_index").on(table.email),
    index("members_subject_index").on(table.issuer, table.subject),
    index("members_team_index").on(table.teamId, table.id),
  ],
);

/** A team that was deleted, until nothing of its files is left. Its other rows went with it. */
export const deletedTeams = pgTable("deleted_teams", {
  teamId: text("team_id").primaryKey(),
  deletedAt: moment("deleted_at").notNull().defaultNow(),
});
