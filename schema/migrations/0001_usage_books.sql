CREATE TABLE "dead_letters" (
	"id" text PRIMARY KEY NOT NULL,
	"queue" text NOT NULL,
	"reason" text NOT NULL,
	"body" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "usage_books" (
	"only" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"closed_before" timestamp with time zone NOT NULL,
	CONSTRAINT "usage_books_one_row" CHECK ("usage_books"."only")
);
--> statement-breakpoint
-- Nothing is closed yet; retention moves the line.
INSERT INTO "usage_books" ("closed_before") VALUES ('1970-01-01T00:00:00Z');
--> statement-breakpoint
ALTER TABLE "schedule_runs" ADD COLUMN "lease_until" timestamp with time zone;--> statement-breakpoint
CREATE INDEX "dead_letters_created_at_index" ON "dead_letters" USING btree ("created_at");