CREATE SEQUENCE "public"."job_admissions" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1;--> statement-breakpoint
CREATE SEQUENCE "public"."job_dispatch_wishes" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1;--> statement-breakpoint
CREATE TABLE "job_attempts" (
	"job_id" text NOT NULL,
	"number" integer NOT NULL,
	"outcome" text,
	"error_code" text,
	"error_message" text,
	"started_at" timestamp with time zone NOT NULL,
	"ended_at" timestamp with time zone,
	CONSTRAINT "job_attempts_pkey" PRIMARY KEY("job_id","number")
);
--> statement-breakpoint
CREATE TABLE "job_callbacks" (
	"id" text PRIMARY KEY NOT NULL,
	"job_id" text NOT NULL,
	"team_id" text NOT NULL,
	"url" text NOT NULL,
	"event" text NOT NULL,
	"state" text DEFAULT 'pending' NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"due_at" timestamp with time zone DEFAULT now() NOT NULL,
	"log" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"delivered_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "job_events" (
	"id" text NOT NULL,
	"job_id" text NOT NULL,
	"number" integer NOT NULL,
	"name" text NOT NULL,
	"payload" json,
	"sent_by" text NOT NULL,
	"taken_by" integer,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "job_events_pkey" PRIMARY KEY("job_id","id")
);
--> statement-breakpoint
CREATE TABLE "job_log_lines" (
	"job_id" text NOT NULL,
	"number" integer NOT NULL,
	"attempt" integer NOT NULL,
	"message" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	CONSTRAINT "job_log_lines_pkey" PRIMARY KEY("job_id","number")
);
--> statement-breakpoint
CREATE TABLE "job_pressure" (
	"only" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"oldest_queued_at" timestamp with time zone,
	"checked_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "job_results" (
	"job_id" text NOT NULL,
	"name" text NOT NULL,
	"file_key" text NOT NULL,
	"size" bigint NOT NULL,
	"content_type" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "job_results_pkey" PRIMARY KEY("job_id","name")
);
--> statement-breakpoint
CREATE TABLE "job_starts" (
	"job_id" text NOT NULL,
	"attempt" integer NOT NULL,
	"type" text NOT NULL,
	"team_id" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	CONSTRAINT "job_starts_pkey" PRIMARY KEY("job_id","attempt")
);
--> statement-breakpoint
CREATE TABLE "job_steps" (
	"job_id" text NOT NULL,
	"position" integer NOT NULL,
	"name" text NOT NULL,
	"kind" text NOT NULL,
	"state" text NOT NULL,
	"kept" json,
	"count" integer DEFAULT 0 NOT NULL,
	"wake_at" timestamp with time zone,
	"attempt" integer NOT NULL,
	"started_at" timestamp with time zone NOT NULL,
	"finished_at" timestamp with time zone,
	CONSTRAINT "job_steps_pkey" PRIMARY KEY("job_id","position")
);
--> statement-breakpoint
CREATE TABLE "jobs" (
	"id" text PRIMARY KEY NOT NULL,
	"team_id" text NOT NULL,
	"type" text NOT NULL,
	"version" integer,
	"input" json NOT NULL,
	"created_by" text NOT NULL,
	"scopes" text[] NOT NULL,
	"models" text[] NOT NULL,
	"end_user" text,
	"idempotency_key" text,
	"request_hash" text NOT NULL,
	"priority" smallint DEFAULT 0 NOT NULL,
	"callback_url" text,
	"parent_id" text,
	"parent_step" text,
	"child_index" integer,
	"state" text NOT NULL,
	"waiting_for" text,
	"due_at" timestamp with time zone,
	"queued_at" timestamp with time zone DEFAULT now() NOT NULL,
	"slot" boolean DEFAULT false NOT NULL,
	"admission" bigint,
	"message_due_at" timestamp with time zone,
	"fence" integer DEFAULT 0 NOT NULL,
	"lease_until" timestamp with time zone,
	"cancel_requested_at" timestamp with time zone,
	"attempt" integer DEFAULT 0 NOT NULL,
	"in_attempt" boolean DEFAULT false NOT NULL,
	"progressed" boolean DEFAULT false NOT NULL,
	"failures" integer DEFAULT 0 NOT NULL,
	"steps" integer DEFAULT 0 NOT NULL,
	"current_step" text,
	"log_lines" integer DEFAULT 0 NOT NULL,
	"progress_done" bigint DEFAULT 0 NOT NULL,
	"progress_total" bigint,
	"progress_message" text DEFAULT '' NOT NULL,
	"result" json,
	"error_code" text,
	"error_message" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"started_at" timestamp with time zone,
	"finished_at" timestamp with time zone,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "job_attempts" ADD CONSTRAINT "job_attempts_job_id_jobs_id_fk" FOREIGN KEY ("job_id") REFERENCES "public"."jobs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "job_callbacks" ADD CONSTRAINT "job_callbacks_job_id_jobs_id_fk" FOREIGN KEY ("job_id") REFERENCES "public"."jobs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "job_events" ADD CONSTRAINT "job_events_job_id_jobs_id_fk" FOREIGN KEY ("job_id") REFERENCES "public"."jobs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "job_log_lines" ADD CONSTRAINT "job_log_lines_job_id_jobs_id_fk" FOREIGN KEY ("job_id") REFERENCES "public"."jobs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "job_results" ADD CONSTRAINT "job_results_job_id_jobs_id_fk" FOREIGN KEY ("job_id") REFERENCES "public"."jobs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "job_steps" ADD CONSTRAINT "job_steps_job_id_jobs_id_fk" FOREIGN KEY ("job_id") REFERENCES "public"."jobs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "jobs" ADD CONSTRAINT "jobs_team_id_teams_id_fk" FOREIGN KEY ("team_id") REFERENCES "public"."teams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "job_callbacks_due_index" ON "job_callbacks" USING btree ("due_at") WHERE "job_callbacks"."state" = 'pending';--> statement-breakpoint
CREATE INDEX "job_callbacks_job_index" ON "job_callbacks" USING btree ("job_id");--> statement-breakpoint
CREATE UNIQUE INDEX "job_events_number_unique" ON "job_events" USING btree ("job_id","number");--> statement-breakpoint
CREATE INDEX "job_starts_type_index" ON "job_starts" USING btree ("type","at");--> statement-breakpoint
CREATE UNIQUE INDEX "job_steps_name_unique" ON "job_steps" USING btree ("job_id","name");--> statement-breakpoint
CREATE UNIQUE INDEX "jobs_idempotency_key_unique" ON "jobs" USING btree ("team_id","idempotency_key");--> statement-breakpoint
CREATE UNIQUE INDEX "jobs_child_unique" ON "jobs" USING btree ("parent_id","parent_step","child_index");--> statement-breakpoint
CREATE INDEX "jobs_team_index" ON "jobs" USING btree ("team_id","id");--> statement-breakpoint
CREATE INDEX "jobs_team_state_index" ON "jobs" USING btree ("team_id","state","id");--> statement-breakpoint
CREATE INDEX "jobs_state_index" ON "jobs" USING btree ("state","id");--> statement-breakpoint
CREATE INDEX "jobs_queue_index" ON "jobs" USING btree ("team_id","type","priority" DESC NULLS FIRST,"queued_at","id") WHERE "jobs"."state" = 'queued' AND NOT "jobs"."slot";--> statement-breakpoint
CREATE INDEX "jobs_slot_index" ON "jobs" USING btree ("team_id","type") WHERE "jobs"."slot";--> statement-breakpoint
CREATE INDEX "jobs_due_index" ON "jobs" USING btree ("due_at") WHERE "jobs"."state" IN ('scheduled', 'retrying');--> statement-breakpoint
CREATE INDEX "jobs_admission_index" ON "jobs" USING btree ("team_id","admission");--> statement-breakpoint
CREATE INDEX "jobs_finished_index" ON "jobs" USING btree ("finished_at");