import type { Context } from "../../kernel/context.ts";
import { AppError } from "../../kernel/errors.ts";
import { afterEnd } from "../after-end.ts";
import { backoffSeconds } from "../backoff.ts";
import { dispatchJobs } from "../dispatch/dispatch-jobs.ts";
import { jobJson } from "../job-json.ts";
import { MAX_ATTEMPTS, WAKE_MESSAGE_SECONDS } from "../job-settings.ts";
import { JobFailure, type Json } from "../job-type.ts";
import { JOB_JSON_BYTES } from "../job.ts";
import { claimJob } from "./claim-job.ts";
import { dispatchPartsOf, type JobEngine, typesOf } from "./job-engine.ts";
import { CancelWanted, type Ending, type JobError, JobLease, LeaseLost } from "./job-lease.ts";
import { JobReport } from "./job-report.ts";
import { startPulse } from "./pulse.ts";
import { recoverJobs } from "./recover-jobs.ts";
import { type Outcome, runProgram } from "./run-program.ts";
import { StopSign } from "./stop.ts";

/**
 * Works a job as far as one process may: to its end, to where it waits, or until its time is up and another message goes
 * on. A message for a job that is done, or that somebody else works, changes nothing.
 * @returns whether somebody may have to be told of its end
 * @throws only where the database does not answer: the job's lease, or the sweeper, sees to the rest
 */
export async function workJob(engine: JobEngine, jobId: string): Promise<{ callback: boolean }> {
  const context = engine.contextFor({ kind: "system", teamId: null });
  const { leaseSeconds, stepSeconds } = engine.settings;
  const versions = Object.fromEntries(
    engine.programs.map(({ type, version }) => [type.name, version]),
  );
  const job = await claimJob(context, jobId, { leaseSeconds, versions });
  if (!job) {
    await recoverJobs(engine, context, { jobId });
    await dispatch(engine, context);
    return { callback: false };
  }
  const log = context.log.with({ job_id: job.id, team_id: job.teamId, type: job.type });
  const report = new JobReport(job, engine.feed, context.now);
  const lease = new JobLease(context, job, report, leaseSeconds);
  const stop = new StopSign();
  report.tell({ kind: "state", state: "running", attempt: job.attempt });
  const endPulse = startPulse({ lease, stop, log, leaseSeconds, stepSeconds });
  const started = performance.now();
  let outcome: Outcome;
  try {
    outcome = await runProgram(engine, lease, stop);
  } finally {
    // What still runs of the program must not go on unnoticed.
    stop.raise({ kind: "lost" });
    await endPulse();
  }
  const working = { engine, context: { ...context, log }, lease };
  try {
    const state = await conclude(working, outcome).catch((error: unknown) => {
      if (error instanceof CancelWanted) return end(working, { state: "cancelled" });
      throw error;
    });
    const duration = Math.round(performance.now() - started);
    log.info("job_worked", { state, attempt: job.attempt, duration_ms: duration });
  } catch (error) {
    if (!(error instanceof LeaseLost)) throw error;
    log.warn("job_lease_lost", { attempt: job.attempt });
  }
  await Promise.all([report.publish(), dispatch(engine, context)]);
  return { callback: job.callbackUrl !== null };
}

async function dispatch(engine: JobEngine, context: Context): Promise<void> {
  await dispatchJobs(context, dispatchPartsOf(engine));
}

interface Working {
  engine: JobEngine;
  context: Context;
  lease: JobLease;
}

/** Writes what has become of the job. @returns a word for the log */
async function conclude(working: Working, outcome: Outcome): Promise<string> {
  const { engine, context, lease } = working;
  if (outcome.kind === "returned") return end(working, succeeded(working, outcome.value));
  if (outcome.kind === "threw") return end(working, failed(working, outcome.error));
  const { stop } = outcome;
  switch (stop.kind) {
    case "lost":
      throw new LeaseLost(`${lease.job.id} is somebody else's`);
    case "cancelled":
      return end(working, { state: "cancelled" });
    case "refused":
      return end(working, { state: "failed", error: stop.error });
    case "overtime":
      return end(working, tryAgain(working, OVERTIME, undefined));
    case "fault":
      return end(working, failed(working, stop.error));
    case "parked":
      lease.report.tell({
        kind: "state",
        state: "scheduled",
        waitingFor: stop.waitingFor,
        attempt: lease.job.attempt,
      });
      await wakeLater(working, stop.seconds);
      return `waiting for ${stop.waitingFor}`;
    case "team_off":
      await lease.flush();
      await lease.giveBack("team_off");
      return "team off";
    case "hand_over":
      await lease.flush();
      await lease.handOver();
      await engine.queue.send([lease.job.id]).catch((error: unknown) => {
        context.log.warn("job_messages_not_sent", { jobs: 1, error }); // the sweeper sends it
      });
      return "handed over";
  }
}

const OVERTIME: JobError = {
  code: "overtime",
  message: "A step took longer than one process may work. Cut it into chunks or smaller steps.",
};

async function end(working: Working, ending: Ending): Promise<string> {
  const { engine, context, lease } = working;
  const { job, report } = lease;
  report.currentStep = null;
  await lease.end(ending);
  const { state } = ending;
  report.tell({
    kind: "state",
    state,
    waitingFor: state === "retrying" ? "retry" : null,
    attempt: job.attempt,
    error: "error" in ending ? ending.error.message : null,
  });
  if (ending.state === "retrying") await wakeLater(working, ending.pauseSeconds);
  else await afterEnd(context, engine.feed, [{ ...job, state }]);
  return state;
}

/** A message for when the job is due, where that is soon; the sweeper finds the others. */
async function wakeLater({ engine, context, lease }: Working, seconds: number | null) {
  if (seconds === null || seconds > WAKE_MESSAGE_SECONDS) return;
  await engine.queue.send([lease.job.id], Math.ceil(seconds)).catch((error: unknown) => {
    context.log.warn("job_messages_not_sent", { jobs: 1, error });
  });
}

function succeeded({ engine, context, lease }: Working, value: Json): Ending {
  const program = engine.programs.find(({ type }) => type.name === lease.job.type);
  const checked = program?.type.result.safeParse(value);
  if (!checked?.success) {
    context.log.error("job_result_invalid", { error: checked?.error });
    const message = "The program gave a result that its type does not know.";
    return { state: "failed", error: { code: "program_fault", message } };
  }
  const result = jobJson(value);
  if (result !== null) return { state: "succeeded", result };
  const message = `The result takes more than ${JOB_JSON_BYTES / 1024} KiB. Save large things as a file.`;
  return { state: "failed", error: { code: "program_fault", message } };
}

function failed(working: Working, error: unknown): Ending {
  if (error instanceof JobFailure)
    return {
      state: "failed",
      error: { code: "job_failure", message: error.message.slice(0, 2000) },
    };
  working.context.log.error("job_attempt_failed", { attempt: working.lease.job.attempt, error });
  if (error instanceof AppError)
    return tryAgain(working, { code: error.code, message: error.message }, error.retryAfterSeconds);
  return tryAgain(working, INTERNAL, undefined);
}

const INTERNAL: JobError = {
  code: "internal_error",
  message: "Something went wrong on our side while this job was worked.",
};

/** Another attempt after a pause, or the end of the last one. */
function tryAgain({ engine, lease }: Working, error: JobError, asked: number | undefined): Ending {
  const { job } = lease;
  const type = typesOf(engine).find(({ name }) => name === job.type);
  // An attempt that came further than the one before does not count towards the last one.
  const failures = lease.progressed ? 1 : job.failures + 1;
  if (failures >= (type?.maxAttempts ?? MAX_ATTEMPTS)) return { state: "failed", error };
  return { state: "retrying", error, failures, pauseSeconds: backoffSeconds(failures, asked) };
}
