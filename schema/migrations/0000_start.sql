CREATE TABLE "api_keys" (
	"id" text PRIMARY KEY NOT NULL,
	"team_id" text NOT NULL,
	"name" text NOT NULL,
	"prefix" text NOT NULL,
	"hash" text NOT NULL,
	"previous_hash" text,
	"previous_expires_at" timestamp with time zone,
	"scopes" text[] NOT NULL,
	"models" text[] DEFAULT '{*}'::text[] NOT NULL,
	"metadata" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"enabled" boolean DEFAULT true NOT NULL,
	"expires_at" timestamp with time zone,
	"revoked_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "health_checks" (
	"name" text PRIMARY KEY NOT NULL,
	"status" text NOT NULL,
	"latency_ms" integer,
	"detail" text,
	"checked_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "idempotency_keys" (
	"owner" text NOT NULL,
	"key" text NOT NULL,
	"request_hash" text NOT NULL,
	"status" smallint NOT NULL,
	"response_sealed" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "idempotency_keys_pkey" PRIMARY KEY("owner","key")
);
--> statement-breakpoint
CREATE TABLE "schedule_runs" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"scheduled_at" timestamp with time zone NOT NULL,
	"trigger" text NOT NULL,
	"state" text NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"started_at" timestamp with time zone,
	"ended_at" timestamp with time zone,
	"result" jsonb,
	"error" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "models" (
	"name" text PRIMARY KEY NOT NULL,
	"targets" jsonb NOT NULL,
	"strategy" text DEFAULT 'ordered' NOT NULL,
	"input_per_million_micros" bigint DEFAULT 0 NOT NULL,
	"output_per_million_micros" bigint DEFAULT 0 NOT NULL,
	"max_output_tokens" integer,
	"context_tokens" integer,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "providers" (
	"name" text PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"base_url" text NOT NULL,
	"api_key_sealed" text,
	"timeout_ms" integer NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "sessions" (
	"id" text PRIMARY KEY NOT NULL,
	"team_id" text NOT NULL,
	"key_id" text,
	"end_user" text,
	"model" text NOT NULL,
	"messages" integer DEFAULT 0 NOT NULL,
	"input_tokens" integer DEFAULT 0 NOT NULL,
	"output_tokens" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"last_active_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "members" (
	"id" text PRIMARY KEY NOT NULL,
	"team_id" text NOT NULL,
	"name" text NOT NULL,
	"email" text NOT NULL,
	"role" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "teams" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"epoch" bigint DEFAULT 1 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "telegram_link_codes" (
	"code_hash" text PRIMARY KEY NOT NULL,
	"team_id" text NOT NULL,
	"created_by" text NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"used_at" timestamp with time zone,
	"used_by_chat" bigint,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "telegram_links" (
	"chat_id" bigint PRIMARY KEY NOT NULL,
	"team_id" text NOT NULL,
	"linked_by" bigint,
	"linked_at" timestamp with time zone DEFAULT now() NOT NULL,
	"blocked_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "usage_dirty_hours" (
	"team_id" text NOT NULL,
	"hour" timestamp with time zone NOT NULL,
	CONSTRAINT "usage_dirty_hours_pkey" PRIMARY KEY("team_id","hour")
);
--> statement-breakpoint
CREATE TABLE "usage_hourly" (
	"team_id" text NOT NULL,
	"hour" timestamp with time zone NOT NULL,
	"key_id" text NOT NULL,
	"session_id" text NOT NULL,
	"end_user" text NOT NULL,
	"model" text NOT NULL,
	"requests" bigint NOT NULL,
	"errors" bigint NOT NULL,
	"input_tokens" bigint NOT NULL,
	"output_tokens" bigint NOT NULL,
	"cost_micros" bigint NOT NULL,
	CONSTRAINT "usage_hourly_pkey" PRIMARY KEY("team_id","hour","key_id","session_id","end_user","model")
);
--> statement-breakpoint
CREATE TABLE "usage_records" (
	"id" text NOT NULL,
	"attempt" smallint NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"team_id" text NOT NULL,
	"key_id" text,
	"session_id" text,
	"end_user" text,
	"model" text NOT NULL,
	"provider" text,
	"status" smallint NOT NULL,
	"error_code" text,
	"input_tokens" integer NOT NULL,
	"output_tokens" integer NOT NULL,
	"estimated" boolean NOT NULL,
	"cost_micros" bigint NOT NULL,
	"latency_ms" integer NOT NULL,
	"first_token_ms" integer,
	"cached" boolean DEFAULT false NOT NULL,
	CONSTRAINT "usage_records_pkey" PRIMARY KEY("at","id","attempt")
) PARTITION BY RANGE ("at");
--> statement-breakpoint
-- Holds what no month covers; ensure_usage_partitions moves it to its month.
CREATE TABLE "usage_records_default" PARTITION OF "usage_records" DEFAULT;
--> statement-breakpoint
-- Makes the partitions of the months from_month .. from_month + ahead, and returns how many are new.
CREATE FUNCTION "ensure_usage_partitions"(from_month timestamptz, ahead integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
	month_start timestamptz;
	month_end timestamptz;
	partition_name text;
	made integer := 0;
BEGIN
	PERFORM pg_advisory_xact_lock(hashtext('ensure_usage_partitions'));
	FOR offset_months IN 0..ahead LOOP
		month_start := (date_trunc('month', from_month AT TIME ZONE 'UTC') + make_interval(months => offset_months)) AT TIME ZONE 'UTC';
		month_end := ((month_start AT TIME ZONE 'UTC') + interval '1 month') AT TIME ZONE 'UTC';
		partition_name := 'usage_records_' || to_char(month_start AT TIME ZONE 'UTC', 'YYYY_MM');
		IF to_regclass(quote_ident(partition_name)) IS NULL THEN
			EXECUTE format('CREATE TABLE %I (LIKE usage_records INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', partition_name);
			EXECUTE format('WITH moved AS (DELETE FROM usage_records_default WHERE at >= %L AND at < %L RETURNING *) INSERT INTO %I SELECT * FROM moved', month_start, month_end, partition_name);
			EXECUTE format('ALTER TABLE usage_records ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', partition_name, month_start, month_end);
			made := made + 1;
		END IF;
	END LOOP;
	RETURN made;
END
$$;
--> statement-breakpoint
SELECT ensure_usage_partitions(now(), 3);
--> statement-breakpoint
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_team_id_teams_id_fk" FOREIGN KEY ("team_id") REFERENCES "public"."teams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_team_id_teams_id_fk" FOREIGN KEY ("team_id") REFERENCES "public"."teams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "members" ADD CONSTRAINT "members_team_id_teams_id_fk" FOREIGN KEY ("team_id") REFERENCES "public"."teams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "telegram_link_codes" ADD CONSTRAINT "telegram_link_codes_team_id_teams_id_fk" FOREIGN KEY ("team_id") REFERENCES "public"."teams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "telegram_links" ADD CONSTRAINT "telegram_links_team_id_teams_id_fk" FOREIGN KEY ("team_id") REFERENCES "public"."teams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "api_keys_hash_unique" ON "api_keys" USING btree ("hash");--> statement-breakpoint
CREATE UNIQUE INDEX "api_keys_previous_hash_unique" ON "api_keys" USING btree ("previous_hash");--> statement-breakpoint
CREATE INDEX "api_keys_team_index" ON "api_keys" USING btree ("team_id","id");--> statement-breakpoint
CREATE INDEX "api_keys_expires_at_index" ON "api_keys" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "idempotency_keys_created_at_index" ON "idempotency_keys" USING btree ("created_at");--> statement-breakpoint
CREATE UNIQUE INDEX "schedule_runs_name_time_unique" ON "schedule_runs" USING btree ("name","scheduled_at","trigger");--> statement-breakpoint
CREATE INDEX "schedule_runs_name_index" ON "schedule_runs" USING btree ("name","id");--> statement-breakpoint
CREATE INDEX "schedule_runs_state_index" ON "schedule_runs" USING btree ("state","created_at");--> statement-breakpoint
CREATE INDEX "sessions_team_last_active_index" ON "sessions" USING btree ("team_id","last_active_at","id");--> statement-breakpoint
CREATE INDEX "sessions_last_active_index" ON "sessions" USING btree ("last_active_at","id");--> statement-breakpoint
CREATE UNIQUE INDEX "members_team_email_unique" ON "members" USING btree ("team_id","email");--> statement-breakpoint
CREATE INDEX "members_team_index" ON "members" USING btree ("team_id","id");--> statement-breakpoint
CREATE INDEX "telegram_link_codes_expires_at_index" ON "telegram_link_codes" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "telegram_links_team_index" ON "telegram_links" USING btree ("team_id","chat_id");--> statement-breakpoint
CREATE INDEX "usage_dirty_hours_hour_index" ON "usage_dirty_hours" USING btree ("hour");--> statement-breakpoint
CREATE INDEX "usage_hourly_hour_index" ON "usage_hourly" USING btree ("hour");--> statement-breakpoint
CREATE INDEX "usage_records_team_at_index" ON "usage_records" USING btree ("team_id","at","id");