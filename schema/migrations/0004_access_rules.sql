ALTER TABLE "api_keys" ADD COLUMN "ip_allow" text[] DEFAULT '{}'::text[] NOT NULL;--> statement-breakpoint
ALTER TABLE "api_keys" ADD COLUMN "ip_deny" text[] DEFAULT '{}'::text[] NOT NULL;--> statement-breakpoint
ALTER TABLE "members" ADD COLUMN "issuer" text;--> statement-breakpoint
ALTER TABLE "members" ADD COLUMN "subject" text;--> statement-breakpoint
ALTER TABLE "teams" ADD COLUMN "ip_allow" text[] DEFAULT '{}'::text[] NOT NULL;--> statement-breakpoint
ALTER TABLE "teams" ADD COLUMN "ip_deny" text[] DEFAULT '{}'::text[] NOT NULL;--> statement-breakpoint
ALTER TABLE "teams" ADD COLUMN "allowed_origins" text[] DEFAULT '{}'::text[] NOT NULL;--> statement-breakpoint
ALTER TABLE "teams" ADD COLUMN "max_body_bytes" integer;--> statement-breakpoint
CREATE UNIQUE INDEX "members_team_subject_unique" ON "members" USING btree ("team_id","issuer","subject");--> statement-breakpoint
CREATE INDEX "members_email_index" ON "members" USING btree ("email");--> statement-breakpoint
CREATE INDEX "members_subject_index" ON "members" USING btree ("issuer","subject");