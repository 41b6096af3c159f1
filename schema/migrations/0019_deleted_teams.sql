CREATE TABLE "deleted_teams" (
	"team_id" text PRIMARY KEY NOT NULL,
	"deleted_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
-- Teams that were deleted before there was this table have left their files too; the audit log names them.
INSERT INTO "deleted_teams" ("team_id", "deleted_at")
SELECT "target_id", max("at") FROM "audit_entries" WHERE "action" = 'team.delete' GROUP BY "target_id"
ON CONFLICT DO NOTHING;
