import {
  type AuditEntry,
  listAuditEntries,
  listAuditEntriesInput,
} from "#core/audit/list-audit-entries.ts";
import type { CsvCell } from "#core/kernel/csv.ts";
import { csvResponse, jsonLinesResponse, wantsCsv } from "../csv-response.ts";
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

/** Entries of one file at most, and of one read. */
const FILE_ROWS = 1_000_000;
const FILE_PAGE = 1_000;

const fields = z.record(z.string(), z.unknown()).nullable();

const entrySchema = z
  .object({
    id: z.string(),
    at: z.string(),
    team_id: z.string().nullable(),
    actor: z.object({
      kind: z.string(),
      id: z.string().nullable(),
      user: z.string().nullable().openapi({ description: "The person, where the actor names one" }),
    }),
    action: z.string(),
    target: z.object({ type: z.string(), id: z.string() }),
    ip: z.string().nullable(),
    user_agent: z.string().nullable(),
    request_id: z.string(),
    trace_id: z.string().nullable(),
    before: fields.openapi({ description: "The fields that differ, as they were; never a secret" }),
    after: fields,
    truncated: z.boolean().openapi({ description: "Whether long values were left out" }),
  })
  .openapi("AuditEntry");

const encodeEntry = (entry: AuditEntry): z.infer<typeof entrySchema> => ({
  id: entry.id,
  at: entry.at.toISOString(),
  team_id: entry.teamId,
  actor: { kind: entry.actorKind, id: entry.actorId, user: entry.actorUser },
  action: entry.action,
  target: { type: entry.targetType, id: entry.targetId },
  ip: entry.ip,
  user_agent: entry.userAgent,
  request_id: entry.requestId,
  trace_id: entry.traceId,
  before: entry.before,
  after: entry.after,
  truncated: entry.truncated,
});

const COLUMNS = [
  "id",
  "at",
  "team_id",
  "actor_kind",
  "actor_id",
  "actor_user",
  "action",
  "target_type",
  "target_id",
  "ip",
  "user_agent",
  "request_id",
  "trace_id",
  "before",
  "after",
  "truncated",
];

const cells = (entry: AuditEntry): CsvCell[] => [
  entry.id,
  entry.at.toISOString(),
  entry.teamId,
  entry.actorKind,
  entry.actorId,
  entry.actorUser,
  entry.action,
  entry.targetType,
  entry.targetId,
  entry.ip,
  entry.userAgent,
  entry.requestId,
  entry.traceId,
  entry.before && JSON.stringify(entry.before),
  entry.after && JSON.stringify(entry.after),
  entry.truncated,
];

const format = z
  .enum(["json", "csv", "jsonl"])
  .optional()
  .openapi({ description: "csv and jsonl give the whole list as a file, from the cursor on" });

const listContract = createRoute({
  method: "get",
  path: "/v1/audit",
  tags: ["Audit"],
  summary: "Who changed what, the newest first",
  description:
    "Needs the scope `admin`. Super admins who name no team see the changes of all and of the installation. Entries stay when their team is deleted, cannot be changed, and go by whole months after two years.",
  security,
  request: {
    query: pageQuery.extend(listAuditEntriesInput.shape).extend({ format }),
    headers: teamHeader,
  },
  responses: {
    200: {
      description: "Entries",
      content: {
        "application/json": { schema: pageOf(entrySchema) },
        "text/csv": { schema: z.string() },
        "application/jsonl": { schema: z.string() },
      },
    },
    ...problemResponses,
  },
});

export const auditRoutes = createRouter().openapi(listContract, async (c) => {
  const query = c.req.valid("query");
  const context = c.get("context");
  const file = {
    name: "audit",
    pageSize: FILE_PAGE,
    rowLimit: FILE_ROWS,
    read: (page: { limit: number; cursor?: string | undefined }) =>
      listAuditEntries(context, query, page),
  };
  if (query.format === "jsonl")
    return jsonLinesResponse(c.get("log"), { ...file, encode: encodeEntry }, query.cursor);
  if (wantsCsv(c.req.header("accept"), query.format))
    return csvResponse(c.get("log"), { ...file, columns: COLUMNS, row: cells }, query.cursor);
  const page = await listAuditEntries(context, query, query);
  return c.json({ data: page.items.map(encodeEntry), next_cursor: page.nextCursor }, 200);
});
