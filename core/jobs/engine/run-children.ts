import { sql } from "drizzle-orm";
import { z } from "zod";
import { jobs } from "#schema";
import type { Database } from "../../kernel/context.ts";
import { sha256Hex } from "../../kernel/digest.ts";
import { newId } from "../../kernel/ids.ts";
import { rowsOf } from "../../kernel/sql-rows.ts";
import { jobJson } from "../job-json.ts";
import { JobFailure, type JobType, type Json } from "../job-type.ts";
import { JOB_CHILDREN } from "../job.ts";
import { refuseWhenFull } from "../open-jobs.ts";
import type { ClaimedJob } from "./claim-job.ts";
import type { AskedStep, StepRunner } from "./step-runner.ts";

/** All inputs of a step's children, and all their results, as JSON; both are in memory at once. */
const TOGETHER_BYTES = 8 * 1024 * 1024;

/** What became of a step's children. */
type Children =
  | { state: "waiting"; seconds: number | null }
  | { state: "failed"; message: string }
  | { state: "done" };

/**
 * Other jobs of the same team. The parent holds nothing while it waits for them; whoever ends the last one wakes it.
 * @throws JobFailure when an input is not valid, or once all have ended and one has not succeeded
 */
export function runChildren<Input, Result extends Json>(
  runner: StepRunner,
  name: string,
  type: JobType<Input, Result>,
  inputs: readonly Input[],
): Promise<Result[]> {
  const { lease, stop, context } = runner.parts;
  const results = async () => {
    const rows = await runner.ours(() => readResults(context.db, lease.job.id, name));
    return rows.map((json) => {
      if (json !== null) return JSON.parse(json) as Result; // was checked against the type when the child ended
      throw new JobFailure(`The results of the child jobs of "${name}" are too large together.`);
    });
  };
  return runner.step(
    name,
    "children",
    async (asked) => {
      const rows = asked.kept ? [] : await childRows(lease.job, name, type, inputs);
      // Too many jobs of the team is for the program to hear of; all else that may fail here is ours.
      if (rows.length > 0) await refuseWhenFull(context.db, lease.job.teamId, rows.length);
      const children = await runner.ours(async () => {
        await lease.flush();
        return begin(runner, asked, rows);
      });
      if (children.state === "waiting")
        return stop.halt({ kind: "parked", waitingFor: "children", seconds: null });
      if (children.state === "failed") throw new JobFailure(children.message);
      runner.committed();
      return results();
    },
    results,
  );
}

type ChildRow = typeof jobs.$inferInsert;

/** @throws JobFailure */
async function childRows<Input>(
  parent: ClaimedJob,
  step: string,
  type: JobType<Input, Json>,
  inputs: readonly Input[],
): Promise<ChildRow[]> {
  if (inputs.length > JOB_CHILDREN)
    throw new JobFailure(`A step may have ${JOB_CHILDREN} child jobs, and not ${inputs.length}.`);
  let total = 0;
  const rows: ChildRow[] = [];
  for (const [index, input] of inputs.entries()) {
    const json = jobJson(input);
    total += json?.length ?? Infinity;
    if (json === null || total > TOGETHER_BYTES)
      throw new JobFailure(`The inputs of the child jobs of "${step}" are too large.`);
    if (!type.input.safeParse(JSON.parse(json)).success)
      throw new JobFailure(`Input ${index} of the child jobs of "${step}" is not valid.`);
    rows.push({
      id: newId("job"),
      teamId: parent.teamId,
      type: type.name,
      input: sql`${json}::json`,
      createdBy: parent.createdBy,
      scopes: parent.scopes,
      models: parent.models,
      endUser: parent.endUser,
      requestHash: await sha256Hex(`${type.name}\n${json}`),
      priority: parent.priority,
      parentId: parent.id,
      parentStep: step,
      childIndex: index,
      state: "queued",
      waitingFor: "capacity",
    });
  }
  return rows;
}

/** Rows of one INSERT: Postgres takes 65,535 parameters. */
const ROWS_AT_ONCE = 500;

/** Makes the children and waits, or looks what became of them. */
function begin(runner: StepRunner, asked: AskedStep, rows: ChildRow[]): Promise<Children> {
  const { lease, context } = runner.parts;
  const { position, name, kind } = asked;
  const waitingFor = "children";
  return context.transaction(async ({ db }) => {
    await lease.lock(db);
    if (!asked.kept && rows.length > 0) {
      for (let from = 0; from < rows.length; from += ROWS_AT_ONCE)
        await db.insert(jobs).values(rows.slice(from, from + ROWS_AT_ONCE));
      const step = { position, name, kind, kept: null, count: rows.length, elapsedMs: 0 };
      return {
        state: "waiting",
        seconds: await lease.park(db, { waitingFor, wakeAt: null, step }),
      };
    }
    const done = { position, state: "done" as const, kept: null, count: asked.kept?.count ?? 0 };
    if (!asked.kept) {
      await lease.addStep(db, { ...done, name, kind, elapsedMs: 0 });
      return { state: "done" };
    }
    const { open, bad, first } = await countChildren(db, lease.job.id, name);
    if (open > 0)
      return {
        state: "waiting",
        seconds: await lease.park(db, { waitingFor, wakeAt: null, step: null }),
      };
    if (bad > 0)
      return {
        state: "failed",
        message: `${bad} of ${done.count} child jobs did not succeed. ${first ?? ""}`.trim(),
      };
    await lease.updateStep(db, done, done.count);
    return { state: "done" };
  });
}

const countRow = z.object({ open: z.number(), bad: z.number(), first: z.string().nullable() });

async function countChildren(db: Database, parentId: string, step: string) {
  const rows = await db.execute(sql`
    SELECT count(*) FILTER (WHERE state NOT IN ('succeeded', 'failed', 'cancelled'))::integer AS open,
      count(*) FILTER (WHERE state IN ('failed', 'cancelled'))::integer AS bad,
      (array_agg(coalesce(error_message, 'It was cancelled.') ORDER BY child_index)
        FILTER (WHERE state IN ('failed', 'cancelled')))[1] AS first
    FROM jobs WHERE parent_id = ${parentId} AND parent_step = ${step}`);
  return rowsOf(countRow, rows)[0] ?? { open: 0, bad: 0, first: null };
}

const resultRow = z.object({ result: z.string().nullable() });

/** Texts of JSON; nulls where they are too large together. */
async function readResults(
  db: Database,
  parentId: string,
  step: string,
): Promise<(string | null)[]> {
  const rows = await db.execute(sql`
    SELECT CASE WHEN sum(octet_length(result::text)) OVER () <= ${TOGETHER_BYTES}
      THEN coalesce(result, 'null')::text END AS result
    FROM jobs WHERE parent_id = ${parentId} AND parent_step = ${step} ORDER BY child_index`);
  return rowsOf(resultRow, rows).map(({ result }) => result);
}
