CREATE TABLE "upload_parts" (
	"upload_id" text NOT NULL,
	"number" integer NOT NULL,
	"size" integer NOT NULL,
	"etag" text NOT NULL,
	"stored_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "upload_parts_pkey" PRIMARY KEY("upload_id","number")
);
--> statement-breakpoint
CREATE TABLE "uploads" (
	"id" text PRIMARY KEY NOT NULL,
	"team_id" text NOT NULL,
	"name" text NOT NULL,
	"content_type" text NOT NULL,
	"size" bigint,
	"state" text NOT NULL,
	"part_size" integer,
	"parts_id" text,
	"etag" text,
	"created_by" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"completed_at" timestamp with time zone,
	"expires_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
DROP INDEX "campaign_imports_upload_unique";--> statement-breakpoint
ALTER TABLE "campaign_imports" ADD COLUMN "job_id" text NOT NULL;--> statement-breakpoint
ALTER TABLE "campaign_imports" ADD COLUMN "content_hash" text NOT NULL;--> statement-breakpoint
ALTER TABLE "campaign_imports" ADD COLUMN "finished_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "campaign_imports" ADD COLUMN "rows" integer;--> statement-breakpoint
ALTER TABLE "campaign_imports" ADD COLUMN "accepted" integer;--> statement-breakpoint
ALTER TABLE "campaign_imports" ADD COLUMN "rejected" integer;--> statement-breakpoint
ALTER TABLE "campaign_imports" ADD COLUMN "campaigns" integer;--> statement-breakpoint
ALTER TABLE "upload_parts" ADD CONSTRAINT "upload_parts_upload_id_uploads_id_fk" FOREIGN KEY ("upload_id") REFERENCES "public"."uploads"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "uploads" ADD CONSTRAINT "uploads_team_id_teams_id_fk" FOREIGN KEY ("team_id") REFERENCES "public"."teams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "uploads_team_index" ON "uploads" USING btree ("team_id","id");--> statement-breakpoint
CREATE INDEX "uploads_expires_index" ON "uploads" USING btree ("expires_at");--> statement-breakpoint
CREATE UNIQUE INDEX "campaign_imports_job_unique" ON "campaign_imports" USING btree ("team_id","job_id");--> statement-breakpoint
CREATE INDEX "campaign_imports_finished_index" ON "campaign_imports" USING btree ("team_id","finished_at");