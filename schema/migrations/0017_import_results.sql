ALTER TABLE "campaign_imports" ADD COLUMN "rejected_url" text;--> statement-breakpoint
ALTER TABLE "campaigns" ADD COLUMN "last_import" integer;