CREATE TABLE "switchboard" (
	"only" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"version" bigint DEFAULT 1 NOT NULL,
	"catalog_version" bigint DEFAULT 1 NOT NULL,
	"bot_off_at" timestamp with time zone,
	"writes_off" boolean DEFAULT false NOT NULL,
	"providers_off" text[] DEFAULT '{}'::text[] NOT NULL,
	"teams_off" text[] DEFAULT '{}'::text[] NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "switchboard_one_row" CHECK ("switchboard"."only")
);
--> statement-breakpoint
INSERT INTO "switchboard" DEFAULT VALUES;
