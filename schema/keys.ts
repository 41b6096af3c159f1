import { sql } from "drizzle-orm";
import { boolean, index, integer, jsonb, pgTable, text, uniqueIndex } from "drizzle-orm/pg-core";
import { createdAt, moment } from "./columns.ts";
import { teams } from "./teams.ts";

/** API keys. The key itself is shown once and never stored; its SHA-256 is. */
export const apiKeys = pgTable(
  "api_keys",
  {
    id: text("id").primaryKey(),
    teamId: text("team_id")
      .notNull()
      .references(() => teams.id, { onDelete: "cascade" }),
    name: text("name").notNull(),
    /** The first characters of the key, to recognise it by. */
    prefix: text("prefix").notNull(),
    /** SHA-256 of the key, hex. */
    hash: text("hash").notNull(),
    /** After a rotation: the hash of the key before, valid until `previousExpiresAt`. */
    previousHash: text("previous_hash"),
    previousExpiresAt: moment("previous_expires_at"),
    scopes: text("scopes").array().notNull(),
    /** Names of models it may use; `*` is all. */
    models: text("models")
      .array()
      .notNull()
      .default(sql`'{*}'::text[]`),
    /** From which addresses it may be used: IPv4, IPv6 and CIDR blocks. An empty list of allowed ones allows all. */
    ipAllow: text("ip_allow")
      .array()
      .notNull()
      .default(sql`'{}'::text[]`),
    ipDeny: text("ip_deny")
      .array()
      .notNull()
      .default(sql`'{}'::text[]`),
    /** For how long answers to this key's requests are kept to be given again; null keeps none unless a request asks. */
    cacheSeconds: integer("cache_seconds"),
    metadata: jsonb("metadata").$type<Record<string, unknown>>().notNull().default({}),
    enabled: boolean("enabled").notNull().default(true),
    expiresAt: moment("expires_at"),
    revokedAt: moment("revoked_at"),
    /** Who made it: `key:key_…`, `member:mem_…`, `super_admin` and so on; null for those from before it was kept. */
    createdBy: text("created_by"),
    createdAt: createdAt(),
    updatedAt: moment("updated_at").notNull().defaultNow(),
  },
  (table) => [
    uniqueIndex("api_keys_hash_unique").on(table.hash),
    uniqueIndex("api_keys_previous_hash_unique").on(table.previousHash),
    index("api_keys_team_index").on(table.teamId, table.id),
    index("api_keys_expires_at_index").on(table.expiresAt),
  ],
);
