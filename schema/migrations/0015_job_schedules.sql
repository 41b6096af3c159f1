CREATE TABLE "callback_secrets" (
	"id" text PRIMARY KEY NOT NULL,
	"team_id" text NOT NULL,
	"secret_sealed" text NOT NULL,
	"ends_at" timestamp with time zone,
	"created_by" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "job_schedule_runs" (
	"schedule_id" text NOT NULL,
	"scheduled_at" timestamp with time zone NOT NULL,
	"trigger" text NOT NULL,
	"outcome" text NOT NULL,
	"reason" text,
	"job_id" text,
	"missed_times" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "job_schedule_runs_pkey" PRIMARY KEY("schedule_id","scheduled_at","trigger")
);
--> statement-breakpoint
CREATE TABLE "job_schedules" (
	"id" text PRIMARY KEY NOT NULL,
	"team_id" text NOT NULL,
	"name" text NOT NULL,
	"cron" text NOT NULL,
	"time_zone" text NOT NULL,
	"type" text NOT NULL,
	"input" json NOT NULL,
	"priority" smallint DEFAULT 0 NOT NULL,
	"callback_url" text,
	"missed" text NOT NULL,
	"overlap" text NOT NULL,
	"next_at" timestamp with time zone,
	"paused_at" timestamp with time zone,
	"stopped_at" timestamp with time zone,
	"stopped_reason" text,
	"created_by" text NOT NULL,
	"scopes" text[] NOT NULL,
	"models" text[] NOT NULL,
	"end_user" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "job_callbacks" ADD COLUMN "payload" text;--> statement-breakpoint
ALTER TABLE "callback_secrets" ADD CONSTRAINT "callback_secrets_team_id_teams_id_fk" FOREIGN KEY ("team_id") REFERENCES "public"."teams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "job_schedule_runs" ADD CONSTRAINT "job_schedule_runs_schedule_id_job_schedules_id_fk" FOREIGN KEY ("schedule_id") REFERENCES "public"."job_schedules"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "job_schedules" ADD CONSTRAINT "job_schedules_team_id_teams_id_fk" FOREIGN KEY ("team_id") REFERENCES "public"."teams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "callback_secrets_team_index" ON "callback_secrets" USING btree ("team_id","id");--> statement-breakpoint
CREATE INDEX "job_schedule_runs_created_at_index" ON "job_schedule_runs" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "job_schedules_team_index" ON "job_schedules" USING btree ("team_id","id");--> statement-breakpoint
CREATE INDEX "job_schedules_next_index" ON "job_schedules" USING btree ("next_at") WHERE "job_schedules"."next_at" IS NOT NULL;