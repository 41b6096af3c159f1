CREATE TABLE "credit_grants" (
	"id" text PRIMARY KEY NOT NULL,
	"team_id" text NOT NULL,
	"kind" text NOT NULL,
	"amount_micros" bigint NOT NULL,
	"reason" text NOT NULL,
	"created_by" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "limits" (
	"id" text PRIMARY KEY NOT NULL,
	"team_id" text NOT NULL,
	"key_id" text,
	"prepaid" boolean DEFAULT false NOT NULL,
	"unit" text NOT NULL,
	"window" text,
	"max" bigint NOT NULL,
	"model" text,
	"end_user" text,
	"soft" boolean DEFAULT false NOT NULL,
	"on_error" text NOT NULL,
	"raise_max" bigint,
	"raise_until" timestamp with time zone,
	"refill_amount" bigint,
	"refill_every" text,
	"refill_since" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "limits_owner_subject_unique" UNIQUE NULLS NOT DISTINCT("team_id","key_id","prepaid","unit","window","model","end_user","soft")
);
--> statement-breakpoint
ALTER TABLE "credit_grants" ADD CONSTRAINT "credit_grants_team_id_teams_id_fk" FOREIGN KEY ("team_id") REFERENCES "public"."teams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "limits" ADD CONSTRAINT "limits_team_id_teams_id_fk" FOREIGN KEY ("team_id") REFERENCES "public"."teams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "limits" ADD CONSTRAINT "limits_key_id_api_keys_id_fk" FOREIGN KEY ("key_id") REFERENCES "public"."api_keys"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "credit_grants_team_index" ON "credit_grants" USING btree ("team_id","id");--> statement-breakpoint
CREATE INDEX "limits_key_index" ON "limits" USING btree ("key_id");