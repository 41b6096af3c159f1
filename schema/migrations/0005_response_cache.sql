ALTER TABLE "api_keys" ADD COLUMN "cache_seconds" integer;--> statement-breakpoint
ALTER TABLE "teams" ADD COLUMN "guard_rails" jsonb;--> statement-breakpoint
ALTER TABLE "teams" ADD COLUMN "guard_rails_digest" text;--> statement-breakpoint
ALTER TABLE "usage_hourly" ADD COLUMN "cached" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "usage_hourly" ADD COLUMN "cache_misses" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "usage_records" ADD COLUMN "cache_missed" boolean DEFAULT false NOT NULL;