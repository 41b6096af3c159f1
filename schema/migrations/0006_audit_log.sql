CREATE TABLE "audit_entries" (
	"id" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"team_id" text,
	"actor_kind" text NOT NULL,
	"actor_id" text,
	"actor_user" text,
	"action" text NOT NULL,
	"target_type" text NOT NULL,
	"target_id" text NOT NULL,
	"ip" text,
	"user_agent" text,
	"request_id" text NOT NULL,
	"trace_id" text,
	"before" jsonb,
	"after" jsonb,
	"truncated" boolean DEFAULT false NOT NULL,
	CONSTRAINT "audit_entries_pkey" PRIMARY KEY("at","id")
) PARTITION BY RANGE ("at");
--> statement-breakpoint
-- Holds what no month covers; ensure_audit_partitions moves it to its month.
CREATE TABLE "audit_entries_default" PARTITION OF "audit_entries" DEFAULT;
--> statement-breakpoint
CREATE FUNCTION "refuse_audit_change"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'The audit log is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
--> statement-breakpoint
-- Partitions get this one from their parent, whichever way they are written to ...
CREATE TRIGGER "audit_entries_append_only" BEFORE UPDATE OR DELETE ON "audit_entries" FOR EACH ROW EXECUTE FUNCTION "refuse_audit_change"();
--> statement-breakpoint
-- ... and this one each of its own.
CREATE TRIGGER "audit_entries_no_truncate" BEFORE TRUNCATE ON "audit_entries" FOR EACH STATEMENT EXECUTE FUNCTION "refuse_audit_change"();
--> statement-breakpoint
CREATE TRIGGER "audit_entries_no_truncate" BEFORE TRUNCATE ON "audit_entries_default" FOR EACH STATEMENT EXECUTE FUNCTION "refuse_audit_change"();
--> statement-breakpoint
-- Makes the partitions of the months from_month .. from_month + ahead, and returns how many are new.
CREATE FUNCTION "ensure_audit_partitions"(from_month timestamptz, ahead integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
	month_start timestamptz;
	month_end timestamptz;
	partition_name text;
	made integer := 0;
BEGIN
	PERFORM pg_advisory_xact_lock(hashtext('ensure_audit_partitions'));
	FOR offset_months IN 0..ahead LOOP
		month_start := (date_trunc('month', from_month AT TIME ZONE 'UTC') + make_interval(months => offset_months)) AT TIME ZONE 'UTC';
		month_end := ((month_start AT TIME ZONE 'UTC') + interval '1 month') AT TIME ZONE 'UTC';
		partition_name := 'audit_entries_' || to_char(month_start AT TIME ZONE 'UTC', 'YYYY_MM');
		IF to_regclass(quote_ident(partition_name)) IS NULL THEN
			EXECUTE format('CREATE TABLE %I (LIKE audit_entries INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', partition_name);
			IF EXISTS (SELECT 1 FROM audit_entries_default WHERE at >= month_start AND at < month_end) THEN
				ALTER TABLE audit_entries_default DISABLE TRIGGER USER;
				EXECUTE format('WITH moved AS (DELETE FROM audit_entries_default WHERE at >= %L AND at < %L RETURNING *) INSERT INTO %I SELECT * FROM moved', month_start, month_end, partition_name);
				ALTER TABLE audit_entries_default ENABLE TRIGGER USER;
			END IF;
			EXECUTE format('ALTER TABLE audit_entries ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', partition_name, month_start, month_end);
			EXECUTE format('CREATE TRIGGER audit_entries_no_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()', partition_name);
			made := made + 1;
		END IF;
	END LOOP;
	RETURN made;
END
$$;
--> statement-breakpoint
-- Drops the months that ended before a time, the only way in which entries go, and returns how many they were.
CREATE FUNCTION "drop_audit_partitions"(ended_before timestamptz) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
	partition_name text;
	dropped integer := 0;
BEGIN
	FOR partition_name IN
		SELECT child.relname FROM pg_inherits
		JOIN pg_class child ON child.oid = pg_inherits.inhrelid
		WHERE pg_inherits.inhparent = 'audit_entries'::regclass AND child.relname ~ '^audit_entries_\d{4}_\d{2}$'
	LOOP
		IF (to_date(right(partition_name, 7), 'YYYY_MM') + interval '1 month') <= ended_before AT TIME ZONE 'UTC' THEN
			EXECUTE format('DROP TABLE %I', partition_name);
			dropped := dropped + 1;
		END IF;
	END LOOP;
	RETURN dropped;
END
$$;
--> statement-breakpoint
SELECT ensure_audit_partitions(now(), 3);
--> statement-breakpoint
CREATE INDEX "audit_entries_team_index" ON "audit_entries" USING btree ("team_id","at","id");--> statement-breakpoint
CREATE INDEX "audit_entries_actor_index" ON "audit_entries" USING btree ("actor_id","at","id");--> statement-breakpoint
CREATE INDEX "audit_entries_target_index" ON "audit_entries" USING btree ("target_id","at","id");