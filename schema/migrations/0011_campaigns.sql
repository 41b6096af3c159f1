CREATE TABLE "campaign_benchmarks" (
	"team_id" text NOT NULL,
	"platform" text NOT NULL,
	"currency" text NOT NULL,
	"metric" text NOT NULL,
	"value" double precision NOT NULL,
	"lower_quartile" double precision,
	"median" double precision,
	"upper_quartile" double precision,
	"campaigns" integer NOT NULL,
	"first_day" date NOT NULL,
	"last_day" date NOT NULL,
	"computed_at" timestamp with time zone NOT NULL,
	CONSTRAINT "campaign_benchmarks_pkey" PRIMARY KEY("team_id","platform","currency","metric")
);
--> statement-breakpoint
CREATE TABLE "campaign_days" (
	"campaign" bigint NOT NULL,
	"day" date NOT NULL,
	"impressions" bigint,
	"clicks" bigint,
	"spend_micros" bigint,
	"conversion_micros" bigint,
	"revenue_micros" bigint,
	CONSTRAINT "campaign_days_pkey" PRIMARY KEY("campaign","day")
);
--> statement-breakpoint
CREATE TABLE "campaign_dirty_days" (
	"campaign" bigint NOT NULL,
	"day" date NOT NULL,
	CONSTRAINT "campaign_dirty_days_pkey" PRIMARY KEY("campaign","day")
);
--> statement-breakpoint
CREATE TABLE "campaign_facts" (
	"campaign" bigint NOT NULL,
	"impressions" bigint,
	"clicks" bigint,
	"spend_micros" bigint,
	"conversion_micros" bigint,
	"revenue_micros" bigint,
	"day" date NOT NULL,
	"import_number" integer NOT NULL,
	"ad_group" text COLLATE "C" DEFAULT '' NOT NULL,
	"ad" text COLLATE "C" DEFAULT '' NOT NULL,
	"segment" text COLLATE "C" DEFAULT '' NOT NULL,
	CONSTRAINT "campaign_facts_pkey" PRIMARY KEY("campaign","day","ad_group","ad","segment"),
	CONSTRAINT "campaign_facts_key_fits" CHECK (octet_length("campaign_facts"."ad_group") <= 800 AND octet_length("campaign_facts"."ad") <= 800 AND octet_length("campaign_facts"."segment") <= 800)
);
--> statement-breakpoint
CREATE TABLE "campaign_imports" (
	"number" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "campaign_imports_number_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"team_id" text NOT NULL,
	"upload_id" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "campaigns" (
	"id" text PRIMARY KEY NOT NULL,
	"number" bigint GENERATED ALWAYS AS IDENTITY (sequence name "campaigns_number_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"team_id" text NOT NULL,
	"platform" text NOT NULL,
	"natural_key" text NOT NULL,
	"currency" text NOT NULL,
	"external_id" text,
	"name" text NOT NULL,
	"channel" text,
	"first_day" date,
	"last_day" date,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "campaign_benchmarks" ADD CONSTRAINT "campaign_benchmarks_team_id_teams_id_fk" FOREIGN KEY ("team_id") REFERENCES "public"."teams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "campaign_imports" ADD CONSTRAINT "campaign_imports_team_id_teams_id_fk" FOREIGN KEY ("team_id") REFERENCES "public"."teams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "campaigns" ADD CONSTRAINT "campaigns_team_id_teams_id_fk" FOREIGN KEY ("team_id") REFERENCES "public"."teams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "campaign_imports_upload_unique" ON "campaign_imports" USING btree ("team_id","upload_id");--> statement-breakpoint
CREATE UNIQUE INDEX "campaigns_number_unique" ON "campaigns" USING btree ("number");--> statement-breakpoint
CREATE UNIQUE INDEX "campaigns_natural_key_unique" ON "campaigns" USING btree ("team_id","platform","natural_key","currency");--> statement-breakpoint
CREATE INDEX "campaigns_team_index" ON "campaigns" USING btree ("team_id","id");--> statement-breakpoint
-- Facts have no foreign key, which would cost an import a look-up for each row. This does what its ON DELETE CASCADE
-- would, for all campaigns of a statement at once, also where they go with their team.
CREATE FUNCTION "delete_campaign_facts"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM campaign_facts USING gone WHERE campaign_facts.campaign = gone.number;
	DELETE FROM campaign_days USING gone WHERE campaign_days.campaign = gone.number;
	DELETE FROM campaign_dirty_days USING gone WHERE campaign_dirty_days.campaign = gone.number;
	RETURN NULL;
END
$$;
--> statement-breakpoint
CREATE TRIGGER "campaigns_delete_facts" AFTER DELETE ON "campaigns" REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION "delete_campaign_facts"();
