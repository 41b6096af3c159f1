import type { ScheduleState } from "#core/schedules/list-schedules.ts";
import { awaitRun, getRun } from "#core/schedules/get-run.ts";
import { listRuns } from "#core/schedules/list-runs.ts";
import { listSchedules } from "#core/schedules/list-schedules.ts";
import { requestRun } from "#core/schedules/request-run.ts";
import { hasEnded, type ScheduleRun } from "#core/schedules/schedule-run.ts";
import { createScheduleClock } from "#platform/schedule-clock.ts";
import { idempotent } from "../middleware/idempotent.ts";
import {
  createRoute,
  createRouter,
  jsonResponse,
  pageOf,
  pageQuery,
  problemResponses,
  security,
  z,
} from "../openapi.ts";

/** How long a request waits for its run to end, in milliseconds. */
const WAIT_MS = 10_000;

const runSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    trigger: z.enum(["cron", "manual"]),
    state: z.enum(["queued", "running", "succeeded", "failed"]),
    attempts: z.number().int(),
    scheduled_at: z.string(),
    created_at: z.string(),
    started_at: z.string().nullable(),
    ended_at: z.string().nullable(),
    result: z.record(z.string(), z.unknown()).nullable(),
    error: z.string().nullable(),
  })
  .openapi("ScheduleRun");

const scheduleSchema = z
  .object({
    name: z.string(),
    description: z.string(),
    cron: z.string(),
    time_zone: z.string(),
    next_at: z.string(),
    last_run: runSchema.nullable(),
  })
  .openapi("Schedule");

const encodeRun = (run: ScheduleRun): z.infer<typeof runSchema> => ({
  id: run.id,
  name: run.name,
  trigger: run.trigger,
  state: run.state,
  attempts: run.attempts,
  scheduled_at: run.scheduledAt.toISOString(),
  created_at: run.createdAt.toISOString(),
  started_at: run.startedAt?.toISOString() ?? null,
  ended_at: run.endedAt?.toISOString() ?? null,
  result: run.result,
  error: run.error,
});

const encodeSchedule = (
  { schedule, nextAt, lastRun }: ScheduleState,
  timeZone: string,
): z.infer<typeof scheduleSchema> => ({
  name: schedule.name,
  description: schedule.description,
  cron: schedule.cadence.cron,
  time_zone: schedule.cadence.clock === "utc" ? "UTC" : timeZone,
  next_at: nextAt.toISOString(),
  last_run: lastRun && encodeRun(lastRun),
});

const nameParam = z.object({ name: z.string().max(100) });
const runParams = nameParam.extend({ id: z.string().max(100) });

const listContract = createRoute({
  method: "get",
  path: "/v1/admin/schedules",
  tags: ["Schedules"],
  summary: "List the schedules, with their last run and their next time (super admin)",
  security,
  responses: { 200: jsonResponse("Every schedule", pageOf(scheduleSchema)), ...problemResponses },
});

const runContract = createRoute({
  method: "post",
  path: "/v1/admin/schedules/{name}/run",
  tags: ["Schedules"],
  summary: "Run a schedule now (super admin)",
  description: "Waits up to 10 seconds for the run to end; 202 means that it goes on.",
  security,
  request: { params: nameParam },
  responses: {
    200: jsonResponse("The run, ended", runSchema),
    202: jsonResponse("The run, not ended yet", runSchema),
    ...problemResponses,
  },
});

const listRunsContract = createRoute({
  method: "get",
  path: "/v1/admin/schedules/{name}/runs",
  tags: ["Schedules"],
  summary: "List a schedule's runs (super admin)",
  security,
  request: { params: nameParam, query: pageQuery },
  responses: {
    200: jsonResponse("Runs, the newest first", pageOf(runSchema)),
    ...problemResponses,
  },
});

const getRunContract = createRoute({
  method: "get",
  path: "/v1/admin/schedules/{name}/runs/{id}",
  tags: ["Schedules"],
  summary: "One run of a schedule (super admin)",
  security,
  request: { params: runParams },
  responses: { 200: jsonResponse("The run", runSchema), ...problemResponses },
});

export const scheduleRoutes = createRouter()
  .openapi(listContract, async (c) => {
    const timeZone = c.get("deps").settings.TIME_ZONE;
    const states = await listSchedules(c.get("context"), createScheduleClock(timeZone));
    const data = states.map((state) => encodeSchedule(state, timeZone));
    return c.json({ data, next_cursor: null }, 200);
  })
  .openapi(runContract, async (c) => {
    const { name } = c.req.valid("param");
    const { schedules } = c.get("deps");
    const sendRun = async (runId: string) => void (await schedules.send({ run_id: runId }));
    const { body } = await idempotent(c, async (context) => ({
      status: 202,
      body: { id: (await requestRun(context, { name, sendRun })).id },
    }));
    const run = await awaitRun(c.get("context"), { name, id: body.id }, WAIT_MS);
    return c.json(encodeRun(run), hasEnded(run) ? 200 : 202);
  })
  .openapi(listRunsContract, async (c) => {
    const { name } = c.req.valid("param");
    const page = await listRuns(c.get("context"), name, c.req.valid("query"));
    return c.json({ data: page.items.map(encodeRun), next_cursor: page.nextCursor }, 200);
  })
  .openapi(getRunContract, async (c) =>
    c.json(encodeRun(await getRun(c.get("context"), c.req.valid("param"))), 200),
  );
