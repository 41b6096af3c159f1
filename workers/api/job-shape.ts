import { type Job, type JobDetails, JOB_PRIORITIES, resultUrl } from "#core/jobs/job.ts";
import type { JobSummary } from "#core/jobs/list-jobs.ts";
import { priorityNamed } from "#core/jobs/priority-named.ts";
import { JOB_STATES, JOB_STEP_KINDS } from "#schema";
import { z } from "./openapi.ts";

const PRIORITIES = Object.keys(JOB_PRIORITIES) as ["low", "normal", "high"]; // Object.keys forgets the literal types

const errorSchema = z.object({ code: z.string(), message: z.string() }).nullable();
const timeSchema = z.string().nullable();

export const jobStateSchema = z.enum(JOB_STATES);

/** A job in a list: without its input and result, which may be large, and without its history. */
export const jobSummarySchema = z
  .object({
    id: z.string(),
    team_id: z.string(),
    type: z.string(),
    state: jobStateSchema,
    waiting_for: z.string().nullable().openapi({
      description:
        "Why it does not work right now: `capacity` (of all jobs, of its team or of its type), `rate` (of its type), `run_at`, `retry`, `sleep`, `event:<name>`, `children` or `team_off`",
    }),
    due_at: timeSchema.openapi({ description: "When it goes on, where it waits for a time" }),
    priority: z.enum(PRIORITIES),
    progress: z.object({
      done: z.number(),
      total: z.number().nullable(),
      message: z.string(),
    }),
    attempt: z.number().int().openapi({ description: "From 1; 0 before it began" }),
    error: errorSchema,
    cancel_requested: z.boolean(),
    idempotency_key: z.string().nullable(),
    callback_url: z.string().nullable(),
    parent_id: z.string().nullable().openapi({ description: "The job whose step made it" }),
    created_by: z.string(),
    created_at: z.string(),
    started_at: timeSchema,
    finished_at: timeSchema,
  })
  .openapi("JobSummary");

export const jobResultSchema = z.object({
  name: z.string(),
  size: z.number().int(),
  content_type: z.string(),
  url: z.string().openapi({
    description: "Relative to the service; needs a key. POST …/link gives one that needs none",
  }),
});

/** A job with all that is known of it. */
export const jobSchema = jobSummarySchema
  .extend({
    input: z.unknown(),
    result: z.unknown(),
    results: z.array(jobResultSchema).openapi({ description: "Files that it has made" }),
    attempts: z.array(
      z.object({
        number: z.number().int(),
        outcome: z.enum(["succeeded", "failed", "crashed", "cancelled"]).nullable(),
        error: errorSchema,
        started_at: z.string(),
        ended_at: timeSchema,
      }),
    ),
    steps: z
      .array(
        z.object({
          name: z.string(),
          kind: z.enum(JOB_STEP_KINDS),
          state: z.enum(["open", "done", "failed"]),
          count: z
            .number()
            .int()
            .openapi({ description: "Chunks done, or the number of children" }),
          wake_at: timeSchema,
          attempt: z.number().int(),
          started_at: z.string(),
          finished_at: timeSchema,
        }),
      )
      .openapi({ description: "Its timeline" }),
    log: z
      .array(
        z.object({
          number: z.number().int(),
          attempt: z.number().int(),
          at: z.string(),
          message: z.string(),
        }),
      )
      .openapi({ description: "Its newest lines, the oldest first" }),
  })
  .openapi("Job");

const time = (date: Date | null) => date?.toISOString() ?? null;

const errorOf = (row: { errorCode: string | null; errorMessage: string | null }) =>
  row.errorCode === null && row.errorMessage === null
    ? null
    : { code: row.errorCode ?? "failed", message: row.errorMessage ?? "" };

export const encodeJobSummary = (job: JobSummary): z.infer<typeof jobSummarySchema> => ({
  id: job.id,
  team_id: job.teamId,
  type: job.type,
  state: job.state,
  waiting_for: job.waitingFor,
  due_at: time(job.dueAt),
  priority: priorityNamed(job.priority),
  progress: { done: job.progressDone, total: job.progressTotal, message: job.progressMessage },
  attempt: job.attempt,
  error: errorOf(job),
  cancel_requested: job.cancelRequestedAt !== null,
  idempotency_key: job.idempotencyKey,
  callback_url: job.callbackUrl,
  parent_id: job.parentId,
  created_by: job.createdBy,
  created_at: job.createdAt.toISOString(),
  started_at: time(job.startedAt),
  finished_at: time(job.finishedAt),
});

export const encodeJob = (job: JobDetails): z.infer<typeof jobSchema> => ({
  ...encodeJobSummary(job),
  input: job.input,
  result: job.result,
  results: job.results.map(({ name, size, contentType }) => ({
    name,
    size,
    content_type: contentType,
    url: resultUrl(job.id, name),
  })),
  attempts: job.attempts.map((attempt) => ({
    number: attempt.number,
    outcome: attempt.outcome,
    error: errorOf(attempt),
    started_at: attempt.startedAt.toISOString(),
    ended_at: time(attempt.endedAt),
  })),
  steps: job.timeline.map((step) => ({
    name: step.name,
    kind: step.kind,
    state: step.state,
    count: step.count,
    wake_at: time(step.wakeAt),
    attempt: step.attempt,
    started_at: step.startedAt.toISOString(),
    finished_at: time(step.finishedAt),
  })),
  log: job.log.map(({ number, attempt, at, message }) => ({
    number,
    attempt,
    at: at.toISOString(),
    message,
  })),
});

/** A job that was just made: nothing has happened to it. */
export const encodeNewJob = (job: Job): z.infer<typeof jobSchema> =>
  encodeJob({ ...job, attempts: [], timeline: [], log: [], results: [] });

export const JOB_EXAMPLE: z.infer<typeof jobSchema> = {
  id: "job_01kajy9r4c6e8s1h3j5m7y0dgb",
  team_id: "team_01kajy7z3v8f6q2m9c4t5b1xwr",
  type: "self_test",
  state: "succeeded",
  waiting_for: null,
  due_at: null,
  priority: "normal",
  progress: { done: 3, total: 3, message: "Counted to 3" },
  attempt: 1,
  error: null,
  cancel_requested: false,
  idempotency_key: null,
  callback_url: null,
  parent_id: null,
  created_by: "key:key_01kajy8f2w5t7r9q3n6m1k4xzv",
  created_at: "2026-11-21T09:30:00.000Z",
  started_at: "2026-11-21T09:30:00.120Z",
  finished_at: "2026-11-21T09:30:00.480Z",
  input: { count: 3 },
  result: { counted: 3, approved: null },
  results: [
    {
      name: "numbers.csv",
      size: 13,
      content_type: "text/csv",
      url: "/v1/jobs/job_01kajy9r4c6e8s1h3j5m7y0dgb/results/numbers.csv",
    },
  ],
  attempts: [
    {
      number: 1,
      outcome: "succeeded",
      error: null,
      started_at: "2026-11-21T09:30:00.120Z",
      ended_at: "2026-11-21T09:30:00.480Z",
    },
  ],
  steps: [
    {
      name: "count",
      kind: "chunks",
      state: "done",
      count: 3,
      wake_at: null,
      attempt: 1,
      started_at: "2026-11-21T09:30:00.150Z",
      finished_at: "2026-11-21T09:30:00.400Z",
    },
  ],
  log: [{ number: 1, attempt: 1, at: "2026-11-21T09:30:00.140Z", message: "Counting to 3" }],
};
