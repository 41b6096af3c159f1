/** What a column of an export can be to us. */
export const FIELDS = [
  "day",
  "last_day",
  "platform",
  "campaign",
  "campaign_id",
  "channel",
  "currency",
  "ad_group",
  "ad",
  "impressions",
  "clicks",
  "spend",
  "spend_micros",
  "conversions",
  "revenue",
] as const;

export type Field = (typeof FIELDS)[number];

/** Fields that hold what is counted. */
export const METRIC_FIELDS = [
  "impressions",
  "clicks",
  "spend",
  "spend_micros",
  "conversions",
  "revenue",
] as const satisfies readonly Field[];

export type MetricField = (typeof METRIC_FIELDS)[number];

export const isMetric = (field: Field): field is MetricField =>
  (METRIC_FIELDS as readonly Field[]).includes(field);
