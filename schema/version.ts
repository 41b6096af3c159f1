import journal from "./migrations/meta/_journal.json" with { type: "json" };

/**
 * The schema that this code expects: the time stamp of its newest migration, which drizzle's migrator writes to
 * `drizzle.__drizzle_migrations.created_at`.
 */
export const EXPECTED_SCHEMA_VERSION: number = Math.max(
  0,
  ...journal.entries.map((entry) => entry.when),
);
