ALTER TABLE "models" ADD COLUMN "hedge_after_ms" integer;--> statement-breakpoint
ALTER TABLE "providers" ADD COLUMN "first_token_ms" integer;--> statement-breakpoint
ALTER TABLE "providers" ADD COLUMN "between_tokens_ms" integer;--> statement-breakpoint
ALTER TABLE "providers" ADD COLUMN "total_ms" integer DEFAULT 600000 NOT NULL;--> statement-breakpoint
ALTER TABLE "providers" ADD COLUMN "max_retries" smallint DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "providers" ADD COLUMN "circuit" jsonb;