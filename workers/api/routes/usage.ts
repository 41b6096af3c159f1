import { microsToDollars } from "#core/kernel/money.ts";
import { hitRatio } from "#core/usage/hit-ratio.ts";
import {
  listUsageRecords,
  listUsageRecordsInput,
  type StoredUsageRecord,
} from "#core/usage/list-usage-records.ts";
import {
  sumUsage,
  sumUsageInput,
  type UsageDimension,
  type UsageSum,
} from "#core/usage/sum-usage.ts";
import { csvResponse, wantsCsv } from "../csv-response.ts";
import {
  createRoute,
  createRouter,
  pageOf,
  pageQuery,
  problemResponses,
  security,
  teamHeader,
  z,
} from "../openapi.ts";

/** Rows of one CSV file: what a Worker reads within its limit of subrequests, with room to spare. */
const CSV_ROWS = 1_000_000;
/** Sums are made anew for each page, so their pages are larger and fewer. */
const CSV_PAGE = { records: 2_000, sums: 10_000 };

/** A cursor holds a value of each dimension, up to 200 characters of any script. */
const usagePage = pageQuery.extend({ cursor: z.string().max(12_000).optional() });

const CACHED_INPUT = "The part of input_tokens that the provider had in its own prompt cache";
const CACHE_WRITE = "The part of input_tokens that the provider put into its prompt cache";

const sumSchema = z
  .object({
    team_id: z.string().optional(),
    day: z.string().optional(),
    hour: z.string().optional(),
    key_id: z.string().nullable().optional(),
    model: z.string().optional(),
    session_id: z.string().nullable().optional(),
    end_user: z.string().nullable().optional(),
    requests: z.number().int(),
    errors: z.number().int(),
    input_tokens: z.number().int(),
    output_tokens: z.number().int(),
    cached_input_tokens: z.number().int().openapi({ description: CACHED_INPUT }),
    cache_write_tokens: z.number().int().openapi({ description: CACHE_WRITE }),
    cost: z.string(),
    cached: z.number().int().openapi({ description: "Requests that the response cache answered" }),
    cache_hit_ratio: z.number().nullable().openapi({
      description: "Of the requests that asked the response cache; null where none did",
    }),
  })
  .openapi("UsageSum");

const recordSchema = z
  .object({
    id: z.string(),
    attempt: z.number().int(),
    at: z.string(),
    team_id: z.string(),
    key_id: z.string().nullable(),
    session_id: z.string().nullable(),
    end_user: z.string().nullable(),
    model: z.string(),
    provider: z.string().nullable(),
    status: z.number().int(),
    error_code: z.string().nullable(),
    input_tokens: z.number().int(),
    output_tokens: z.number().int(),
    cached_input_tokens: z.number().int().openapi({ description: CACHED_INPUT }),
    cache_write_tokens: z.number().int().openapi({ description: CACHE_WRITE }),
    estimated: z.boolean(),
    cost: z.string(),
    latency_ms: z.number().int(),
    first_token_ms: z.number().int().nullable(),
    cached: z.boolean(),
    guard_rails: z.array(z.string()).nullable().openapi({
      description:
        "What guard rails did: input_denied, input_masked, output_denied, output_masked; null where that is nothing",
    }),
  })
  .openapi("UsageRecord");

/** What each dimension is called in an answer. */
const NAMES = {
  team: "team_id",
  day: "day",
  hour: "hour",
  key: "key_id",
  model: "model",
  session: "session_id",
  end_user: "end_user",
} as const satisfies Record<UsageDimension, keyof z.infer<typeof sumSchema>>;

const SUM_COLUMNS = [
  "requests",
  "errors",
  "input_tokens",
  "output_tokens",
  "cached_input_tokens",
  "cache_write_tokens",
  "cost",
  "cached",
  "cache_hit_ratio",
] as const;
const RECORD_COLUMNS = Object.keys(recordSchema.shape) as (keyof z.infer<typeof recordSchema>)[]; // Object.keys loses the literal type

const encodeSum = (sum: UsageSum): z.infer<typeof sumSchema> => ({
  ...Object.fromEntries(
    Object.entries(sum.group).map(([dimension, value]) => [
      NAMES[dimension as UsageDimension],
      value,
    ]), // Object.entries loses the literal type
  ),
  requests: sum.requests,
  errors: sum.errors,
  input_tokens: sum.inputTokens,
  output_tokens: sum.outputTokens,
  cached_input_tokens: sum.cachedInputTokens,
  cache_write_tokens: sum.cacheWriteTokens,
  cost: microsToDollars(sum.costMicros),
  cached: sum.cached,
  cache_hit_ratio: hitRatio(sum),
});

const encodeRecord = (record: StoredUsageRecord): z.infer<typeof recordSchema> => ({
  id: record.id,
  attempt: record.attempt,
  at: record.at.toISOString(),
  team_id: record.teamId,
  key_id: record.keyId,
  session_id: record.sessionId,
  end_user: record.endUser,
  model: record.model,
  provider: record.provider,
  status: record.status,
  error_code: record.errorCode,
  input_tokens: record.inputTokens,
  output_tokens: record.outputTokens,
  cached_input_tokens: record.cachedInputTokens,
  cache_write_tokens: record.cacheWriteTokens,
  estimated: record.estimated,
  cost: microsToDollars(record.costMicros),
  latency_ms: record.latencyMs,
  first_token_ms: record.firstTokenMs,
  cached: record.cached,
  guard_rails: record.guardRails,
});

const format = z.enum(["json", "csv"]).optional().openapi({
  description: "csv gives the whole list as a file, from the cursor on; Accept: text/csv does too",
});

const listAnswer = <Item extends z.ZodType>(description: string, item: Item) => ({
  description,
  content: { "application/json": { schema: pageOf(item) }, "text/csv": { schema: z.string() } },
});

const sumsContract = createRoute({
  method: "get",
  path: "/v1/usage",
  tags: ["Usage"],
  summary: "Usage summed up",
  description:
    "By any of day, hour, key, model, session and end_user, for super admins also team, separated by commas (day without it). from is inclusive, to exclusive; without them the last 30 days. Always exact: requests count within seconds.",
  security,
  request: { query: usagePage.extend(sumUsageInput.shape).extend({ format }), headers: teamHeader },
  responses: { 200: listAnswer("Sums, in the order of group_by", sumSchema), ...problemResponses },
});

const recordsContract = createRoute({
  method: "get",
  path: "/v1/usage/records",
  tags: ["Usage"],
  summary: "Single requests, the newest first",
  security,
  request: {
    query: usagePage.extend(listUsageRecordsInput.shape).extend({ format }),
    headers: teamHeader,
  },
  responses: { 200: listAnswer("Requests", recordSchema), ...problemResponses },
});

export const usageRoutes = createRouter()
  .openapi(sumsContract, async (c) => {
    const query = c.req.valid("query");
    const context = c.get("context");
    if (!wantsCsv(c.req.header("accept"), query.format)) {
      const page = await sumUsage(context, query, query);
      return c.json({ data: page.items.map(encodeSum), next_cursor: page.nextCursor }, 200);
    }
    const columns = [...query.group_by.map((dimension) => NAMES[dimension]), ...SUM_COLUMNS];
    return csvResponse(
      c.get("log"),
      {
        name: "usage",
        columns,
        row: (sum: UsageSum) => columns.map((column) => encodeSum(sum)[column] ?? null),
        pageSize: CSV_PAGE.sums,
        rowLimit: CSV_ROWS,
        read: (page) => sumUsage(context, query, page),
      },
      query.cursor,
    );
  })
  .openapi(recordsContract, async (c) => {
    const query = c.req.valid("query");
    const context = c.get("context");
    if (!wantsCsv(c.req.header("accept"), query.format)) {
      const page = await listUsageRecords(context, query, query);
      return c.json({ data: page.items.map(encodeRecord), next_cursor: page.nextCursor }, 200);
    }
    return csvResponse(
      c.get("log"),
      {
        name: "usage-records",
        columns: RECORD_COLUMNS,
        row: (record: StoredUsageRecord) => {
          const encoded = encodeRecord(record);
          return RECORD_COLUMNS.map((column) => {
            const cell = encoded[column];
            return Array.isArray(cell) ? cell.join(",") : cell;
          });
        },
        pageSize: CSV_PAGE.records,
        rowLimit: CSV_ROWS,
        read: (page) => listUsageRecords(context, query, page),
      },
      query.cursor,
    );
  });
