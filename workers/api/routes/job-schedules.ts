import { createSchedule, createScheduleInput } from "#core/jobs/schedules/create-schedule.ts";
import { deleteSchedule } from "#core/jobs/schedules/delete-schedule.ts";
import {
  type JobSchedule,
  type JobScheduleRun,
  reachSchedule,
  type SchedulePorts,
} from "#core/jobs/schedules/job-schedule.ts";
import { listScheduleRuns } from "#core/jobs/schedules/list-schedule-runs.ts";
import { listJobSchedules } from "#core/jobs/schedules/list-schedules.ts";
import { runSchedule } from "#core/jobs/schedules/run-schedule.ts";
import { nextTimes } from "#core/jobs/schedules/schedule-times.ts";
import { updateSchedule, updateScheduleInput } from "#core/jobs/schedules/update-schedule.ts";
import { priorityNamed } from "#core/jobs/priority-named.ts";
import { createScheduleClock } from "#platform/schedule-clock.ts";
import { MISSED_TIMES, OVERLAPS } from "#schema";
import type { AppContext } from "../app-types.ts";
import { encodeNewJob, jobSchema } from "../job-shape.ts";
import { idempotent } from "../middleware/idempotent.ts";
import {
  createRoute,
  createRouter,
  idempotencyHeader,
  jsonBody,
  jsonResponse,
  noContent,
  pageOf,
  pageQuery,
  problemResponses,
  security,
  teamHeader,
  z,
} from "../openapi.ts";

/** Times that an answer shows ahead. */
const SHOWN_TIMES = 5;

const scheduleSchema = z
  .object({
    id: z.string(),
    team_id: z.string(),
    name: z.string(),
    cron: z.string(),
    time_zone: z.string(),
    type: z.string(),
    input: z.unknown(),
    priority: z.enum(["low", "normal", "high"]),
    callback_url: z.string().nullable(),
    missed: z.enum(MISSED_TIMES),
    overlap: z.enum(OVERLAPS),
    paused: z.boolean(),
    stopped_at: z.string().nullable(),
    stopped_reason: z.string().nullable().openapi({
      description:
        "Why it does nothing any more; `paused: false` starts it again for whoever sends it",
    }),
    next_times: z.array(z.string()).openapi({
      description: "The next five; none while it is paused or stopped",
    }),
    created_by: z.string().openapi({
      description: "Whoever made or changed it last: its jobs act with what they were allowed then",
    }),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .openapi("JobSchedule");

const runSchema = z
  .object({
    scheduled_at: z.string(),
    trigger: z.enum(["clock", "manual"]),
    outcome: z.enum(["made", "skipped", "refused"]),
    reason: z.string().nullable(),
    job_id: z.string().nullable(),
    missed_times: z
      .number()
      .int()
      .openapi({ description: "Times before this one that were let go" }),
    created_at: z.string(),
  })
  .openapi("JobScheduleRun");

const EXAMPLE: z.infer<typeof scheduleSchema> = {
  id: "sched_01kajy9r4c6e8s1h3j5m7y0dgb",
  team_id: "team_01kajy7z3v8f6q2m9c4t5b1xwr",
  name: "Every working day at eight",
  cron: "0 8 * * 1-5",
  time_zone: "Europe/Berlin",
  type: "self_test",
  input: { count: 3 },
  priority: "normal",
  callback_url: null,
  missed: "once",
  overlap: "skip",
  paused: false,
  stopped_at: null,
  stopped_reason: null,
  next_times: ["2026-11-23T07:00:00.000Z", "2026-11-24T07:00:00.000Z"],
  created_by: "key:key_01kajy8f2w5t7r9q3n6m1k4xzv",
  created_at: "2026-11-21T09:30:00.000Z",
  updated_at: "2026-11-21T09:30:00.000Z",
};

const encodeSchedule = (schedule: JobSchedule): z.infer<typeof scheduleSchema> => ({
  id: schedule.id,
  team_id: schedule.teamId,
  name: schedule.name,
  cron: schedule.cron,
  time_zone: schedule.timeZone,
  type: schedule.type,
  input: schedule.input,
  priority: priorityNamed(schedule.priority),
  callback_url: schedule.callbackUrl,
  missed: schedule.missed,
  overlap: schedule.overlap,
  paused: schedule.pausedAt !== null,
  stopped_at: schedule.stoppedAt?.toISOString() ?? null,
  stopped_reason: schedule.stoppedReason,
  next_times: timesOf(schedule),
  created_by: schedule.createdBy,
  created_at: schedule.createdAt.toISOString(),
  updated_at: schedule.updatedAt.toISOString(),
});

function timesOf(schedule: JobSchedule): string[] {
  if (schedule.nextAt === null) return [];
  // One that is due this minute is still the next.
  const after = new Date(Math.min(schedule.nextAt.getTime() - 1_000, Date.now()));
  const ahead = { clockOf: createScheduleClock, after, count: SHOWN_TIMES };
  try {
    return nextTimes(schedule, ahead).map((time) => time.toISOString());
  } catch {
    return [schedule.nextAt.toISOString()]; // its last times
  }
}

const encodeRun = (run: JobScheduleRun): z.infer<typeof runSchema> => ({
  scheduled_at: run.scheduledAt.toISOString(),
  trigger: run.trigger,
  outcome: run.outcome,
  reason: run.reason,
  job_id: run.jobId,
  missed_times: run.missedTimes,
  created_at: run.createdAt.toISOString(),
});

const portsOf = (c: AppContext): SchedulePorts => ({
  clockOf: createScheduleClock,
  desk: c.get("deps").jobDesk,
  allowPrivate: c.get("deps").settings.ALLOW_PRIVATE_UPSTREAMS,
});

const common = { tags: ["Jobs"], security, description: "Needs the scope `jobs`." };
const params = z.object({
  id: z.string().max(100).openapi({ description: "The schedule's id", example: EXAMPLE.id }),
});
const oneSchedule = {
  200: jsonResponse("The schedule", scheduleSchema, EXAMPLE),
  ...problemResponses,
};

const createContract = createRoute({
  ...common,
  method: "post",
  path: "/v1/jobs/schedules",
  summary: "Have a job made again and again",
  description:
    "Needs the scope `jobs`, and that of the type. Its jobs act with what you may do now, also later; it stops when your key is revoked or you leave the team.",
  request: {
    headers: idempotencyHeader.extend(teamHeader.shape),
    ...jsonBody(createScheduleInput, {
      name: EXAMPLE.name,
      cron: EXAMPLE.cron,
      time_zone: EXAMPLE.time_zone,
      type: EXAMPLE.type,
      input: { count: 3 },
    }),
  },
  responses: { 201: jsonResponse("The schedule", scheduleSchema, EXAMPLE), ...problemResponses },
});

const listContract = createRoute({
  ...common,
  method: "get",
  path: "/v1/jobs/schedules",
  summary: "List recurring jobs",
  request: { headers: teamHeader, query: pageQuery },
  responses: {
    200: jsonResponse("Schedules, the newest first", pageOf(scheduleSchema)),
    ...problemResponses,
  },
});

const getContract = createRoute({
  ...common,
  method: "get",
  path: "/v1/jobs/schedules/{id}",
  summary: "Read a recurring job, with its next five times",
  request: { params, headers: teamHeader },
  responses: oneSchedule,
});

const updateContract = createRoute({
  ...common,
  method: "patch",
  path: "/v1/jobs/schedules/{id}",
  summary: "Change, pause or resume a recurring job",
  description:
    "Needs the scope `jobs`, and that of the type unless it is only paused. What is left out stays. From then on its jobs act with what you may do.",
  request: { params, headers: teamHeader, ...jsonBody(updateScheduleInput, { paused: true }) },
  responses: oneSchedule,
});

const deleteContract = createRoute({
  ...common,
  method: "delete",
  path: "/v1/jobs/schedules/{id}",
  summary: "Delete a recurring job",
  description: "Needs the scope `jobs`. Jobs that it has made stay.",
  request: { params, headers: teamHeader },
  responses: { 204: noContent("It is gone"), ...problemResponses },
});

const runContract = createRoute({
  ...common,
  method: "post",
  path: "/v1/jobs/schedules/{id}/run",
  summary: "Make a recurring job's job now",
  description:
    "Needs the scope `jobs`, and that of the type. Its next time stays. The job acts with what you may do.",
  request: { params, headers: idempotencyHeader.extend(teamHeader.shape) },
  responses: { 202: jsonResponse("The job", jobSchema), ...problemResponses },
});

const runsContract = createRoute({
  ...common,
  method: "get",
  path: "/v1/jobs/schedules/{id}/runs",
  summary: "List what came of a recurring job's times",
  request: { params, headers: teamHeader, query: pageQuery },
  responses: { 200: jsonResponse("The latest first", pageOf(runSchema)), ...problemResponses },
});

export const jobScheduleRoutes = createRouter()
  .openapi(createContract, async (c) => {
    const input = c.req.valid("json");
    const { body } = await idempotent(c, async (context) => ({
      status: 201,
      body: encodeSchedule(await createSchedule(context, portsOf(c), input)),
    }));
    return c.json(body, 201);
  })
  .openapi(listContract, async (c) => {
    const page = await listJobSchedules(c.get("context"), c.req.valid("query"));
    return c.json({ data: page.items.map(encodeSchedule), next_cursor: page.nextCursor }, 200);
  })
  .openapi(getContract, async (c) => {
    const { id } = c.req.valid("param");
    return c.json(encodeSchedule(await reachSchedule(c.get("context"), id)), 200);
  })
  .openapi(updateContract, async (c) => {
    const input = { ...c.req.valid("json"), scheduleId: c.req.valid("param").id };
    return c.json(encodeSchedule(await updateSchedule(c.get("context"), portsOf(c), input)), 200);
  })
  .openapi(deleteContract, async (c) => {
    await deleteSchedule(c.get("context"), { scheduleId: c.req.valid("param").id });
    return c.body(null, 204);
  })
  .openapi(runContract, async (c) => {
    const { id: scheduleId } = c.req.valid("param");
    const { body } = await idempotent(c, async (context) => ({
      status: 202,
      body: encodeNewJob(await runSchedule(context, portsOf(c), { scheduleId })),
    }));
    return c.json(body, 202);
  })
  .openapi(runsContract, async (c) => {
    const input = { ...c.req.valid("query"), scheduleId: c.req.valid("param").id };
    const page = await listScheduleRuns(c.get("context"), input);
    return c.json({ data: page.items.map(encodeRun), next_cursor: page.nextCursor }, 200);
  });
