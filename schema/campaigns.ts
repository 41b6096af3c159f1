import { sql } from "drizzle-orm";
import {
  bigint,
  check,
  customType,
  date,
  doublePrecision,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from "drizzle-orm/pg-core";
import { createdAt, moment } from "./columns.ts";
import { teams } from "./teams.ts";

/**
 * An advertising campaign of a team. It has one currency: the same campaign paid in another one is another row, so that
 * amounts of different currencies never stand beside each other in one.
 */
export const campaigns = pgTable(
  "campaigns",
  {
    id: text("id").primaryKey(),
    /** What facts call it: 8 bytes in place of the id's 30, in every fact and its index. */
    number: bigint("number", { mode: "number" }).generatedAlwaysAsIdentity().notNull(),
    teamId: text("team_id")
      .notNull()
      .references(() => teams.id, { onDelete: "cascade" }),
    /** `google_ads`, `meta`, `tiktok`, `linkedin`, `other`, or what the file calls it, as lower case with underscores. */
    platform: text("platform").notNull(),
    /** What makes it the same campaign in the next file: `id:` and the platform's id, or else `name:` and the name. */
    naturalKey: text("natural_key").notNull(),
    /** ISO 4217; `XXX` where nobody said, which is a currency of its own and never added to another. */
    currency: text("currency").notNull(),
    /** The platform's own id of it, where the file had one. */
    externalId: text("external_id"),
    name: text("name").notNull(),
    /** What kind of advertising, where the file said: `search`, `display`, `video`, `shopping`, `social` … */
    channel: text("channel"),
    /** The first and the last day with facts; null while there are none. */
    firstDay: date("first_day", { mode: "string" }),
    lastDay: date("last_day", { mode: "string" }),
    /** `campaign_imports.number` of the last file that named it. */
    lastImport: integer("last_import"),
    createdAt: createdAt(),
    updatedAt: moment("updated_at").notNull().defaultNow(),
  },
  (table) => [
    uniqueIndex("campaigns_number_unique").on(table.number),
    uniqueIndex("campaigns_natural_key_unique").on(
      table.teamId,
      table.platform,
      table.naturalKey,
      table.currency,
    ),
    index("campaigns_team_index").on(table.teamId, table.id),
  ],
);

/** A file that was imported: what facts name as where they come from, in 4 bytes. */
export const campaignImports = pgTable(
  "campaign_imports",
  {
    number: integer("number").generatedAlwaysAsIdentity().primaryKey(),
    teamId: text("team_id")
      .notNull()
      .references(() => teams.id, { onDelete: "cascade" }),
    /** The `upl_` id. The file may be gone by now. */
    uploadId: text("upload_id").notNull(),
    /** The `job_` id. A job that begins again finds this row; the same file imported again is another one. */
    jobId: text("job_id").notNull(),
    /** SHA-256 of the file and of how it was to be read, hex: by it the same file is known. */
    contentHash: text("content_hash").notNull(),
    /** Null until all of the file is in. */
    finishedAt: moment("finished_at"),
    /** What came of it; null until then. */
    rows: integer("rows"),
    accepted: integer("accepted"),
    rejected: integer("rejected"),
    campaigns: integer("campaigns"),
    /** Where the rows that were set aside are had; null where there are none. */
    rejectedUrl: text("rejected_url"),
    createdAt: createdAt(),
  },
  (table) => [
    uniqueIndex("campaign_imports_job_unique").on(table.teamId, table.jobId),
    index("campaign_imports_finished_index").on(table.teamId, table.finishedAt),
  ],
);

/** A name in a fact, compared byte by byte: quicker than by a locale, and in the same order everywhere. */
const byteText = customType<{ data: string; notNull: true; default: true }>({
  dataType: () => 'text COLLATE "C"',
});

/** What a day brought. Null is "the file does not say", which is not 0: without revenue there is no ROAS. */
const sums = () => ({
  impressions: bigint("impressions", { mode: "bigint" }),
  clicks: bigint("clicks", { mode: "bigint" }),
  /** Millionths of the campaign's currency. */
  spendMicros: bigint("spend_micros", { mode: "bigint" }),
  /** Millionths of a conversion, since platforms share one out among ads; as whole numbers their sums are exact. */
  conversionMicros: bigint("conversion_micros", { mode: "bigint" }),
  /** Millionths of the campaign's currency. */
  revenueMicros: bigint("revenue_micros", { mode: "bigint" }),
});

/**
 * What one ad brought on one day, as a file said it. The key is the only index, since each costs an import its speed:
 * it begins with campaign and day, and a team's facts are found by its campaigns.
 *
 * There is no foreign key, which would look each row's campaign up: whoever writes facts holds the campaigns first
 * (core/campaigns/store-facts.ts), and a trigger of the migration deletes a campaign's
 * facts and days with it, so also when its team goes.
 */
export const campaignFacts = pgTable(
  "campaign_facts",
  {
    /** `campaigns.number`. */
    campaign: bigint("campaign", { mode: "number" }).notNull(),
    ...sums(),
    /** As the platform dates it, in the account's time zone. */
    day: date("day", { mode: "string" }).notNull(),
    /** `campaign_imports.number` of the file that last changed it. */
    importNumber: integer("import_number").notNull(),
    /** The name as shown; `''` where the file has no such column. */
    adGroup: byteText("ad_group").notNull().default(""),
    ad: byteText("ad").notNull().default(""),
    /** What else tells rows of a day apart, such as ids, device or country, as `name=value` joined by `;`. */
    segment: byteText("segment").notNull().default(""),
  },
  (table) => [
    primaryKey({
      name: "campaign_facts_pkey",
      columns: [table.campaign, table.day, table.adGroup, table.ad, table.segment],
    }),
    // What an entry of the key's index can hold.
    check(
      "campaign_facts_key_fits",
      sql`octet_length(${table.adGroup}) <= 800 AND octet_length(${table.ad}) <= 800 AND octet_length(${table.segment}) <= 800`,
    ),
  ],
);

/** The sums of a campaign's day over its ad groups and ads, kept with campaign_facts. True but for days that are dirty. */
export const campaignDays = pgTable(
  "campaign_days",
  {
    campaign: bigint("campaign", { mode: "number" }).notNull(),
    day: date("day", { mode: "string" }).notNull(),
    ...sums(),
  },
  (table) => [primaryKey({ name: "campaign_days_pkey", columns: [table.campaign, table.day] })],
);

/** Days of a campaign whose sums may not be what its facts say. Written with the facts, removed with the sums. */
export const campaignDirtyDays = pgTable(
  "campaign_dirty_days",
  {
    campaign: bigint("campaign", { mode: "number" }).notNull(),
    day: date("day", { mode: "string" }).notNull(),
  },
  (table) => [
    primaryKey({ name: "campaign_dirty_days_pkey", columns: [table.campaign, table.day] }),
  ],
);

/**
 * What a team's own campaigns usually reach, computed nightly from their months: one row a platform, currency and
 * metric. Published figures are data in core/campaigns/benchmarks.
 */
export const campaignBenchmarks = pgTable(
  "campaign_benchmarks",
  {
    teamId: text("team_id")
      .notNull()
      .references(() => teams.id, { onDelete: "cascade" }),
    /** `''` is all platforms together. */
    platform: text("platform").notNull(),
    /** `''` for ratios that no currency enters. */
    currency: text("currency").notNull(),
    metric: text("metric").notNull(),
    /** From the sums of the whole period. */
    value: doublePrecision("value").notNull(),
    /** Quartiles of the campaigns' own values; null where they are fewer than four. */
    lowerQuartile: doublePrecision("lower_quartile"),
    median: doublePrecision("median"),
    upperQuartile: doublePrecision("upper_quartile"),
    /** How many campaigns had a value. */
    campaigns: integer("campaigns").notNull(),
    /** The period, both days included. */
    firstDay: date("first_day", { mode: "string" }).notNull(),
    lastDay: date("last_day", { mode: "string" }).notNull(),
    computedAt: moment("computed_at").notNull(),
  },
  (table) => [
    primaryKey({
      name: "campaign_benchmarks_pkey",
      columns: [table.teamId, table.platform, table.currency, table.metric],
    }),
  ],
);
