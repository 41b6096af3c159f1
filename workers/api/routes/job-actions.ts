import { cancelJob } from "#core/jobs/cancel-job.ts";
import { cancelMatching, retryMatching } from "#core/jobs/change-matching.ts";
import { getJob } from "#core/jobs/get-job.ts";
import { jobFilterFields, jobStates } from "#core/jobs/job-filter.ts";
import type { JobEvent } from "#core/jobs/job-feed.ts";
import { retryJob } from "#core/jobs/retry-job.ts";
import { sendJobEvent } from "#core/jobs/send-event.ts";
import { isPlainText } from "#core/kernel/text.ts";
import type { AppContext } from "../app-types.ts";
import { encodeJob, JOB_EXAMPLE, jobSchema } from "../job-shape.ts";
import { emptyBodyAsObject } from "../middleware/empty-body.ts";
import {
  createRoute,
  createRouter,
  jsonBody,
  jsonResponse,
  problemResponses,
  security,
  teamHeader,
  z,
} from "../openapi.ts";

/** Jobs that one request changes at most. */
const BULK_LIMIT = 200;

const common = { tags: ["Jobs"], security, description: "Needs the scope `jobs`." };
const params = z.object({
  id: z.string().max(100).openapi({ description: "The job's id", example: JOB_EXAMPLE.id }),
});

const cancelContract = createRoute({
  ...common,
  method: "post",
  path: "/v1/jobs/{id}/cancel",
  summary: "Cancel a job",
  description:
    "Needs the scope `jobs`. One that waits is cancelled at once; one that runs stops at its next step or chunk (`cancel_requested`), and what is committed stays. Again changes nothing.",
  request: { params, headers: teamHeader },
  responses: { 200: jsonResponse("The job as it is now", jobSchema), ...problemResponses },
});

const retryInput = z.strictObject({
  from_start: z.boolean().default(false).openapi({
    description: "Forgets the finished steps, whose effects are there twice then",
  }),
});

const retryContract = createRoute({
  ...common,
  method: "post",
  path: "/v1/jobs/{id}/retry",
  middleware: emptyBodyAsObject,
  summary: "Try a job again",
  description:
    "Needs the scope `jobs`. For jobs that have failed, were cancelled or wait for their next attempt. Finished steps and chunks are kept.",
  request: {
    params,
    headers: teamHeader,
    body: { required: false, content: { "application/json": { schema: retryInput } } },
  },
  responses: { 200: jsonResponse("The job as it is now", jobSchema), ...problemResponses },
});

const bulkInput = z
  .strictObject({
    ...jobFilterFields,
    state: jobStates.optional(),
    all: z.boolean().default(false).openapi({ description: "Needed where nothing else is given" }),
    limit: z.number().int().min(1).max(BULK_LIMIT).default(BULK_LIMIT),
  })
  .refine(
    ({ all, limit: _, ...filter }) =>
      all || Object.values(filter).some((value) => value !== undefined),
    'must name some jobs, or say "all": true',
  );

const bulkResult = (what: string) =>
  z.object({
    changed: z.array(z.string()).openapi({ description: `Ids of the jobs that were ${what}` }),
    count: z.number().int(),
    left: z.number().int().openapi({
      description: "Jobs that are meant as well; send the same request again for them",
    }),
  });

const bulk = (verb: "cancel" | "retry", what: string) =>
  createRoute({
    ...common,
    method: "post",
    path: `/v1/jobs/${verb}`,
    summary: `${verb === "cancel" ? "Cancel" : "Retry"} jobs by a search`,
    description: `Needs the scope \`jobs\`. The search is that of GET /v1/jobs; the oldest come first, ${BULK_LIMIT} a request.`,
    request: { headers: teamHeader, ...jsonBody(bulkInput, { type: "self_test" }) },
    responses: {
      200: jsonResponse("What was done, and what is left", bulkResult(what)),
      ...problemResponses,
    },
  });

const eventContract = createRoute({
  ...common,
  method: "post",
  path: "/v1/jobs/{id}/events",
  summary: "Send an event to a job",
  description:
    "Needs the scope `jobs`. For jobs that wait for one, such as an approval; it is kept until a step takes it. The same `id` again changes nothing.",
  request: {
    params,
    headers: teamHeader,
    ...jsonBody(
      z.strictObject({
        name: z
          .string()
          .min(1)
          .max(200)
          .refine(isPlainText, "must not hold control characters or broken Unicode"),
        payload: z
          .unknown()
          .optional()
          .openapi({ description: "Any JSON up to 256 KiB; null where none is sent" }),
        id: z
          .string()
          .min(1)
          .max(200)
          .refine(isPlainText, "must not hold control characters or broken Unicode")
          .nullable()
          .default(null),
      }),
      { name: "approval", payload: { by: "Ada" } },
    ),
  },
  responses: {
    202: jsonResponse(
      "It is kept",
      z.object({
        id: z.string(),
        created: z.boolean().openapi({ description: "False where it was sent before" }),
      }),
    ),
    ...problemResponses,
  },
});

/** What a retry looks like to watchers. */
const queued = (jobId: string): JobEvent => ({
  jobId,
  at: Date.now(),
  kind: "state",
  state: "queued",
  waitingFor: "capacity",
});

async function current(c: AppContext, jobId: string) {
  return encodeJob(await getJob(c.get("context"), { jobId }));
}

type BulkFilter = z.output<typeof bulkInput>;
const filterOf = ({ state, all: _, ...filter }: BulkFilter) => ({ ...filter, states: state });

export const jobActionRoutes = createRouter()
  .openapi(bulk("cancel", "cancelled, or asked to stop"), async (c) => {
    const { jobDesk } = c.get("deps");
    const input = filterOf(c.req.valid("json"));
    const { changed, left } = await cancelMatching(c.get("context"), jobDesk, input);
    return c.json({ changed, count: changed.length, left }, 200);
  })
  .openapi(bulk("retry", "queued again"), async (c) => {
    const { jobDesk } = c.get("deps");
    const input = filterOf(c.req.valid("json"));
    const { changed, left } = await retryMatching(c.get("context"), jobDesk, input);
    return c.json({ changed, count: changed.length, left }, 200);
  })
  .openapi(cancelContract, async (c) => {
    const { id: jobId } = c.req.valid("param");
    await cancelJob(c.get("context"), c.get("deps").jobDesk, { jobId });
    return c.json(await current(c, jobId), 200);
  })
  .openapi(retryContract, async (c) => {
    const { id: jobId } = c.req.valid("param");
    const { jobDesk, jobFeed } = c.get("deps");
    const fromStart = c.req.valid("json").from_start;
    const { teamId } = await retryJob(c.get("context"), jobDesk, { jobId, fromStart });
    await jobFeed.publish(teamId, [queued(jobId)]);
    return c.json(await current(c, jobId), 200);
  })
  .openapi(eventContract, async (c) => {
    const { id: jobId } = c.req.valid("param");
    const { name: event, payload, id } = c.req.valid("json");
    const { jobDesk } = c.get("deps");
    const sent = await sendJobEvent(c.get("context"), jobDesk, { jobId, event, payload, id });
    return c.json(sent, 202);
  });
