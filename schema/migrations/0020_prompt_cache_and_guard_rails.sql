ALTER TABLE "models" ADD COLUMN "cached_input_per_million_micros" bigint;--> statement-breakpoint
ALTER TABLE "models" ADD COLUMN "cache_write_per_million_micros" bigint;--> statement-breakpoint
ALTER TABLE "models" ADD COLUMN "cache_write_1h_per_million_micros" bigint;--> statement-breakpoint
ALTER TABLE "usage_hourly" ADD COLUMN "cached_input_tokens" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "usage_hourly" ADD COLUMN "cache_write_tokens" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "usage_minutes" ADD COLUMN "input_denied" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "usage_minutes" ADD COLUMN "input_masked" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "usage_minutes" ADD COLUMN "output_denied" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "usage_minutes" ADD COLUMN "output_masked" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "usage_records" ADD COLUMN "cached_input_tokens" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "usage_records" ADD COLUMN "cache_write_tokens" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "usage_records" ADD COLUMN "guard_rails" text[];