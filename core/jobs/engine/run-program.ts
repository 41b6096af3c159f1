import type { Principal } from "../../kernel/principal.ts";
import type { JobProgram, JobRun, Json } from "../job-type.ts";
import type { JobEngine } from "./job-engine.ts";
import { type JobLease, LeaseLost } from "./job-lease.ts";
import { programSteps } from "./program-steps.ts";
import { saveResult } from "./save-result.ts";
import { readHistory } from "./step-history.ts";
import { StepRunner } from "./step-runner.ts";
import type { Stop, StopSign } from "./stop.ts";

/** How a program came to rest. */
export type Outcome =
  | { kind: "returned"; value: Json }
  | { kind: "threw"; error: unknown }
  | { kind: "stopped"; stop: Stop };

/** Runs a job's program from its beginning to its end, or to where it is stopped. Never throws. */
export async function runProgram(
  engine: JobEngine,
  lease: JobLease,
  stop: StopSign,
): Promise<Outcome> {
  const stopped = stop.stopped.then((raised): Outcome => ({ kind: "stopped", stop: raised }));
  const program = run(engine, lease, stop).then(
    (value): Outcome => ({ kind: "returned", value }),
    (error: unknown): Outcome => ({ kind: "threw", error }),
  );
  const outcome = await Promise.race([stopped, program]);
  // What a program does once it was stopped says nothing about the job.
  return stop.stop ? { kind: "stopped", stop: stop.stop } : outcome;
}

async function run(engine: JobEngine, lease: JobLease, stop: StopSign): Promise<Json> {
  const { job, report } = lease;
  const program = engine.programs.find(({ type }) => type.name === job.type);
  const work = program && versionOf(program, job.version);
  if (!program || !work)
    return stop.halt({ kind: "refused", error: changed(program, job.type, job.version) });
  const input = program.type.input.safeParse(job.input);
  if (!input.success)
    return stop.halt({
      kind: "refused",
      error: { code: "program_changed", message: "The job's input no longer fits its type." },
    });
  const { teamId, createdBy, scopes, models, endUser } = job;
  const principal: Principal = {
    kind: "job",
    jobId: job.id,
    teamId,
    createdBy,
    scopes,
    models,
    endUser,
  };
  const context = engine.contextFor(principal);
  const started = performance.now();
  const isTimeUp = () => performance.now() - started > engine.settings.sliceSeconds * 1000;
  const history = await readHistory(context, job).catch((error: unknown) =>
    stop.halt({ kind: "fault", error }),
  );
  const runner = new StepRunner({ lease, history, stop, context, isTimeUp });
  const jobRun: JobRun<unknown> = {
    id: job.id,
    teamId: job.teamId,
    input: input.data,
    attempt: job.attempt,
    context,
    ports: engine.ports,
    step: programSteps(runner),
    signal: stop.signal,
    progress: (done, total, message) => report.setProgress(done, total, message),
    log: (message) => report.addLine(message),
    saveResult: (file) =>
      saveResult(context, engine.ports.files, lease, file).catch((error: unknown) => {
        if (error instanceof LeaseLost) return stop.halt({ kind: "lost" });
        throw error;
      }),
  };
  const value = await work(jobRun);
  await runner.requireAllAsked();
  return value;
}

function versionOf(program: JobProgram, version: number | null) {
  if (version === null || version === program.version)
    return (job: JobRun<unknown>) => program.run(job);
  return program.earlier?.[version];
}

function changed(program: JobProgram | undefined, type: string, version: number | null) {
  if (!program)
    return {
      code: "program_missing",
      message: `This version of the service has no program for "${type}". Retry the job once it has one.`,
    };
  return {
    code: "program_changed",
    message: `The job began with version ${version} of its program, and this service has version ${program.version}. Retry it where the earlier one still is, or from the start.`,
  };
}
