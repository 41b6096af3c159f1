CREATE TABLE "usage_minutes" (
	"team_id" text NOT NULL,
	"minute" timestamp with time zone NOT NULL,
	"model" text NOT NULL,
	"provider" text NOT NULL,
	"status" smallint NOT NULL,
	"error_code" text NOT NULL,
	"refused_by" text NOT NULL,
	"part" smallint NOT NULL,
	"requests" bigint NOT NULL,
	"cached" bigint NOT NULL,
	"cache_misses" bigint NOT NULL,
	"latency" jsonb NOT NULL,
	"first_token" jsonb NOT NULL,
	CONSTRAINT "usage_minutes_pkey" PRIMARY KEY("team_id","minute","model","provider","status","error_code","refused_by","part")
);
--> statement-breakpoint
ALTER TABLE "usage_records" ADD COLUMN "refused_by" text;--> statement-breakpoint
CREATE INDEX "usage_minutes_minute_index" ON "usage_minutes" USING btree ("minute");