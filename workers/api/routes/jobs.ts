import { requireCallback } from "#core/jobs/callbacks/require-callback.ts";
import { createJob } from "#core/jobs/create-job.ts";
import { getJob } from "#core/jobs/get-job.ts";
import { jobFilterFields, jobStates } from "#core/jobs/job-filter.ts";
import type { JobType } from "#core/jobs/job-type.ts";
import { MAX_ATTEMPTS } from "#core/jobs/job-settings.ts";
import { JOB_TYPES, jobTypeNamed } from "#core/jobs/job-types.ts";
import { JOB_PRIORITIES } from "#core/jobs/job.ts";
import { countJobs, listJobs } from "#core/jobs/list-jobs.ts";
import { requireScope, requireTeam } from "#core/kernel/principal.ts";
import { isPlainText } from "#core/kernel/text.ts";
import { JOB_STATES } from "#schema";
import type { AppContext } from "../app-types.ts";
import { streamJob, streamTeam } from "../job-event-stream.ts";
import {
  encodeJob,
  encodeJobSummary,
  encodeNewJob,
  JOB_EXAMPLE,
  jobSchema,
  jobSummarySchema,
} from "../job-shape.ts";
import { idempotent } from "../middleware/idempotent.ts";
import {
  createRoute,
  createRouter,
  idempotencyHeader,
  jsonBody,
  jsonResponse,
  pageOf,
  pageQuery,
  preferHeader,
  problemResponses,
  security,
  teamHeader,
  z,
} from "../openapi.ts";
import { answerJob } from "../wait-for-job.ts";

const PRIORITIES = Object.keys(JOB_PRIORITIES) as ["low", "normal", "high"]; // Object.keys forgets the literal types

const common = { tags: ["Jobs"], security, description: "Needs the scope `jobs`." };

const jobParam = z.object({
  id: z.string().max(100).openapi({ description: "The job's id", example: JOB_EXAMPLE.id }),
});

const createInput = z.strictObject({
  type: z.string().max(100).openapi({ description: "One of GET /v1/jobs/types" }),
  input: z.unknown().openapi({ description: "What the type takes, up to 256 KiB as JSON" }),
  idempotency_key: z
    .string()
    .min(1)
    .max(255)
    .refine(isPlainText, "must not hold control characters or broken Unicode")
    .nullable()
    .default(null)
    .openapi({
      description:
        "The same one in the same team gives the same job for as long as it is kept; with another type or input it is refused",
    }),
  priority: z.enum(PRIORITIES).default("normal"),
  run_at: z.iso
    .datetime({ offset: true, error: "must be a time such as 2026-11-21T09:30:00Z" })
    .transform((text) => new Date(text))
    .nullable()
    .default(null)
    .openapi({ description: "Not before this time; at most a year ahead" }),
  callback_url: z.string().max(2_000).nullable().default(null).openapi({
    description: "Told how the job ended, signed by Standard Webhooks; see docs/jobs-api.md",
  }),
});

const createContract = createRoute({
  ...common,
  method: "post",
  path: "/v1/jobs",
  summary: "Make a job",
  description:
    "Needs the scope `jobs`, and that of the type. With the header `Prefer: wait=20` it answers 200 with the job when it is over within so many seconds (60 at most), else 202 with the job as it is.",
  request: {
    headers: idempotencyHeader.extend(teamHeader.shape).extend(preferHeader.shape),
    ...jsonBody(createInput, { type: "self_test", input: { count: 3 } }),
  },
  responses: {
    200: jsonResponse("The job, which is over", jobSchema, JOB_EXAMPLE),
    202: jsonResponse("The job, which is made and goes on", jobSchema),
    ...problemResponses,
  },
});

const filterQuery = z.object({
  ...jobFilterFields,
  state: z
    .string()
    .max(200)
    .transform((text) => text.split(","))
    .pipe(jobStates)
    .optional()
    .openapi({ description: "One or several, with commas between them", example: "failed" }),
});

const listContract = createRoute({
  ...common,
  method: "get",
  path: "/v1/jobs",
  summary: "Search jobs",
  description:
    "Needs the scope `jobs`. All that is given must hold. Super admins who name no team see the jobs of all.",
  request: {
    headers: teamHeader,
    query: pageQuery.extend(filterQuery.shape).extend({
      team_id: z
        .string()
        .optional()
        .openapi({ description: "Super admins only: jobs of one team" }),
    }),
  },
  responses: {
    200: jsonResponse(
      "Jobs, the newest first",
      pageOf(jobSummarySchema).extend({
        counts: z.record(z.enum(JOB_STATES), z.number().int()).optional().openapi({
          description: "How many there are in each state, whatever `state` says; on the first page",
        }),
      }),
    ),
    ...problemResponses,
  },
});

const limitSchema = z.object({
  team: z.number().int().nullable(),
  total: z.number().int().nullable(),
});

const typesContract = createRoute({
  ...common,
  method: "get",
  path: "/v1/jobs/types",
  summary: "List the types of jobs",
  request: { headers: teamHeader },
  responses: {
    200: jsonResponse(
      "All types",
      pageOf(
        z
          .object({
            name: z.string(),
            summary: z.string(),
            scope: z.string().openapi({ description: "What its maker needs besides `jobs`" }),
            input: z.record(z.string(), z.unknown()).openapi({ description: "JSON Schema" }),
            result: z.record(z.string(), z.unknown()).openapi({ description: "JSON Schema" }),
            at_once: limitSchema.openapi({
              description: "How many may run at once, of a team and of all; null without a limit",
            }),
            starts: z
              .object({
                max: z.number().int(),
                per_seconds: z.number(),
                of: z.enum(["team", "total"]),
              })
              .nullable()
              .openapi({ description: "How many may be started in a time; null without a limit" }),
            attempts: z
              .number()
              .int()
              .openapi({ description: "Failed ones in a row after which it has failed" }),
          })
          .openapi("JobType"),
      ),
    ),
    ...problemResponses,
  },
});

const getContract = createRoute({
  ...common,
  method: "get",
  path: "/v1/jobs/{id}",
  summary: "Read a job",
  request: { params: jobParam, headers: teamHeader },
  responses: { 200: jsonResponse("The job", jobSchema, JOB_EXAMPLE), ...problemResponses },
});

const streamOf = (what: string) => ({
  200: {
    description: what,
    content: { "text/event-stream": { schema: z.string() } },
  },
});

const streamRequest = {
  query: z.object({
    cursor: z.string().max(100).optional().openapi({
      description: "The id of the last event that you have; browsers send it as Last-Event-ID",
    }),
  }),
};

const eventsContract = createRoute({
  ...common,
  method: "get",
  path: "/v1/jobs/{id}/events",
  summary: "Watch a job",
  description:
    "Needs the scope `jobs`. Server-sent events: `snapshot` (the job as GET /v1/jobs/{id} gives it) first and last, `state`, `progress`, `step`, `log` and `result` in between, until the job is over. Whoever comes again with the id of the last event gets what was missed, or a snapshot where that is not kept any more.",
  request: { params: jobParam, ...streamRequest, headers: teamHeader },
  responses: {
    ...streamOf("What happens to the job"),
    204: { description: "The job is over, and you have all of it" },
    ...problemResponses,
  },
});

const teamEventsContract = createRoute({
  ...common,
  method: "get",
  path: "/v1/jobs/events",
  summary: "Watch all jobs of the team",
  description:
    "Needs the scope `jobs`. Server-sent events as for one job, without an end; the `snapshot` holds counts by state and the jobs that are not over.",
  request: { ...streamRequest, headers: teamHeader },
  responses: { ...streamOf("What happens to the team's jobs"), ...problemResponses },
});

/** What JSON Schema cannot say, such as a check by code, is left to the type, which refuses it with a sentence. */
function jsonSchema(schema: z.ZodType, io: "input" | "output"): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  return rest;
}

const encodeType = ({ concurrency, rate, ...type }: JobType) => ({
  name: type.name,
  summary: type.summary,
  scope: type.scope,
  input: jsonSchema(type.input, "input"),
  result: jsonSchema(type.result, "output"),
  at_once: { team: concurrency?.team ?? null, total: concurrency?.total ?? null },
  starts: rate ? { max: rate.max, per_seconds: rate.perSeconds, of: rate.of } : null,
  attempts: type.maxAttempts ?? MAX_ATTEMPTS,
});

async function make(c: AppContext, input: z.output<typeof createInput>) {
  const { jobDesk, settings } = c.get("deps");
  const { body } = await idempotent(c, async (context) => {
    await requireCallback(context, {
      teamId: requireTeam(context.principal),
      url: input.callback_url,
      allowPrivate: settings.ALLOW_PRIVATE_UPSTREAMS,
    });
    const { job } = await createJob(context, jobDesk, {
      type: jobTypeNamed(input.type),
      input: input.input,
      idempotencyKey: input.idempotency_key,
      priority: input.priority,
      runAt: input.run_at,
      callbackUrl: input.callback_url,
    });
    return { status: 202, body: encodeNewJob(job) };
  });
  return body;
}

export const jobRoutes = createRouter()
  .openapi(createContract, async (c) => {
    requireScope(c.get("context").principal, "jobs");
    return answerJob(c, await make(c, c.req.valid("json")));
  })
  .openapi(listContract, async (c) => {
    const { state, team_id: _, ...query } = c.req.valid("query");
    const context = c.get("context");
    const filter = { ...query, states: state };
    const [page, counts] = await Promise.all([
      listJobs(context, filter),
      query.cursor === undefined ? countJobs(context, filter) : undefined,
    ]);
    const list = { data: page.items.map(encodeJobSummary), next_cursor: page.nextCursor };
    return c.json(counts ? { ...list, counts } : list, 200);
  })
  .openapi(typesContract, (c) => {
    requireScope(c.get("context").principal, "jobs");
    return c.json({ data: JOB_TYPES.map(encodeType), next_cursor: null }, 200);
  })
  .openapi(teamEventsContract, (c) => streamTeam(c))
  .openapi(getContract, async (c) => {
    const { id } = c.req.valid("param");
    return c.json(encodeJob(await getJob(c.get("context"), { jobId: id })), 200);
  })
  .openapi(eventsContract, (c) => streamJob(c, c.req.valid("param").id));
