import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { JOB_TYPES } from "#core/jobs/job-types.ts";
import { eventually } from "#test/harness/eventually.ts";
import { type Stack, WEBHOOK_SECRET } from "#test/harness/stack.ts";
import { startWithSkills } from "#test/skills/skills-stack.ts";
import { type BotApi, startBotApi } from "#test/telegram/bot-api-server.ts";
import { deliverTo } from "#test/telegram/deliver-to.ts";
import { CallbackReceiver, verified } from "./callback-receiver.ts";
import { StepHolder, type StepWrite } from "./held-step.ts";
import { type CaseTeam, JOB_CASES, type JobCase } from "./types/job-cases.ts";
import { readFile } from "./types/read-file.ts";

/** Every type of job is killed in the middle by SIGKILL of the real runtime, and comes to what it comes to undisturbed. */

const DEADLINE_MS = 180_000;
const LEASE_SECONDS = 3;

interface SeenJob {
  id: string;
  state: string;
  result: unknown;
  error: unknown;
  progress: { done: number; total: number | null };
  attempts: { outcome: string | null }[];
  steps: { name: string; count: number; state: string }[];
  results: { name: string; size: number; content_type: string; url: string }[];
}

let stack: Stack;
let telegram: BotApi;
let receiver: CallbackReceiver;
let holder: StepHolder;

beforeAll(async () => {
  telegram = await startBotApi({ backoffScale: 0.05, flood: null });
  receiver = await CallbackReceiver.start();
  stack = await startWithSkills(inject("postgres"), {
    vars: {
      TELEGRAM_BOT_TOKEN: telegram.token,
      TELEGRAM_API_ROOT: telegram.url,
      JOB_LEASE_SECONDS: String(LEASE_SECONDS),
    },
  });
  deliverTo(telegram, stack.urls.bot, WEBHOOK_SECRET);
  holder = await StepHolder.open(stack);
});
afterAll(async () => {
  await holder?.close();
  await telegram?.stop();
  await stack?.stop();
  await receiver?.stop();
});

interface Team extends CaseTeam {
  secret: string;
}

async function newTeam(): Promise<Team> {
  const { teamId, client } = await stack.createTeam({ scopes: ["admin"] });
  const path = "/v1/jobs/callback-secret/rotate";
  const { secret } = await client.expect<{ secret: string }>(200, "POST", path, {});
  const person = telegram.addPerson();
  const link = await client.expect<{ command: string }>(201, "POST", "/v1/telegram/link-codes", {});
  person.says(link.command);
  await eventually(() => expect(telegram.answersIn(person.chat)).toHaveLength(1), DEADLINE_MS);
  return { teamId, client, person, secret };
}

async function begin(type: string, team: Team, input: object): Promise<string> {
  const body = { type, input, callback_url: receiver.url };
  return (await team.client.expect<{ id: string }>(202, "POST", "/v1/jobs", body)).id;
}

const seen = ({ client }: Team, id: string) => client.expect<SeenJob>(200, "GET", `/v1/jobs/${id}`);

const endOf = (team: Team, id: string) =>
  eventually(async () => {
    const job = await seen(team, id);
    expect(job).toMatchObject({ state: "succeeded", error: null });
    return job;
  }, DEADLINE_MS);

let minute = Date.now();

/** Kills the runtime while a job is held in the middle of a write, and lets the sweeper find what is left of it. */
async function killAt(place: StepWrite, next: StepWrite | undefined, team: Team, id: string) {
  await holder.reached();
  const before = await holder.committed(id);
  await stack.kill();
  await holder.cutOff();
  if (next) await holder.hold(team.teamId, next);
  expect(await holder.committed(id), `while it wrote "${place.step}"`).toEqual(before);
  await stack.restart();
  deliverTo(telegram, stack.urls.bot, WEBHOOK_SECRET);
  await eventually(async () => {
    const [row] = await stack.sql<{ over: boolean }>(
      "SELECT lease_until < now() AS over FROM jobs WHERE id = $1",
      [id],
    );
    expect(row?.over).toBe(true);
  });
  await stack.tick(new Date((minute += 60_000)));
}

/** All that a job has left behind, with its ids taken out. */
async function outcome(jobCase: JobCase, team: Team, id: string) {
  const job = await endOf(team, id);
  const [upload] = await stack.sql<{ id: string }>("SELECT id FROM uploads WHERE team_id = $1", [
    team.teamId,
  ]);
  const files = await Promise.all(
    job.results.map(async ({ name, content_type: type, url }) => {
      const answer = await team.client.request("GET", url);
      expect(answer.status).toBe(200);
      const content = await readFile(name, new Uint8Array(await answer.arrayBuffer()));
      return { name, type, content };
    }),
  );
  const rows = await stack.sql<{ file_key: string }>(
    "SELECT file_key FROM job_results WHERE job_id = $1 ORDER BY file_key",
    [id],
  );
  // Nothing lies in the store that no row names: neither pieces of work nor files of processes that died.
  expect(await stack.fileKeys(`${team.teamId}/jobs/${id}/`)).toEqual(
    rows.map(({ file_key: key }) => key),
  );
  const { state, result, progress, steps } = job;
  const left = {
    state,
    result,
    progress,
    steps: steps.map(({ name, count, state }) => ({ name, count, state })),
    files,
    committed: await holder.committed(id),
    end: await toldEnd(team, id),
    usage: await usageOf(team),
    facts: await jobCase.facts({ stack, telegram }, team),
  };
  const text = JSON.stringify(left)
    .replaceAll(id, "the job")
    .replaceAll(upload?.id ?? "no upload", "the upload")
    // The time in a PDF or a workbook is packed, so that sizes differ by a few bytes.
    .replaceAll(/"size":\d+/g, '"size":0');
  return { job, left: JSON.parse(text) as typeof left };
}

/** Once, however often it was sent: by one id, which the receiver goes by. */
async function toldEnd(team: Team, id: string) {
  await eventually(async () => {
    const told = await stack.sql("SELECT state FROM job_callbacks WHERE job_id = $1", [id]);
    expect(told).toEqual([{ state: "delivered" }]);
  }, DEADLINE_MS);
  const came = receiver.of(id);
  const [first] = came;
  if (!first) throw new Error("It was delivered");
  expect(new Set(came.map(({ id: message }) => message)).size).toBe(1);
  return verified(team.secret, first).type;
}

/** What the team is charged for its use of skills. The last record is of a use after all the others. */
async function usageOf(team: Team) {
  const marker = { skill: "vin.decode", input: { vin: "1HGCM82633A004352" } };
  await team.client.expect(200, "POST", `/v1/skills/${marker.skill}`, marker.input);
  return eventually(async () => {
    const records = await stack.sql<{ model: string; uses: number; micros: number }>(
      `SELECT model, count(*)::integer AS uses, sum(cost_micros)::integer AS micros FROM usage_records
       WHERE team_id = $1 GROUP BY model ORDER BY model`,
      [team.teamId],
    );
    expect(records.at(-1)?.model).toBe("skill:vin.decode");
    return records;
  }, DEADLINE_MS);
}

describe("kill -9 of the runtime in the middle of", () => {
  it("every type of job has its test", () => {
    expect(Object.keys(JOB_CASES).toSorted()).toEqual(JOB_TYPES.map(({ name }) => name).toSorted());
  });

  it.each(JOB_TYPES.map(({ name }) => name))(
    "%s changes nothing about what comes of it",
    async (type) => {
      const jobCase = JOB_CASES[type];
      if (!jobCase) throw new Error(`The type ${type} has no case in types/job-cases.ts`);
      const world = { stack, telegram };
      const calm = await newTeam();
      const undisturbed = await begin(type, calm, await jobCase.prepare(world, calm));
      const expected = await outcome(jobCase, calm, undisturbed);

      const team = await newTeam();
      const input = await jobCase.prepare(world, team);
      const [first, ...more] = jobCase.deaths;
      if (!first) throw new Error("It has to die somewhere");
      await holder.hold(team.teamId, first);
      const id = await begin(type, team, input);
      for (const [index, place] of jobCase.deaths.entries()) {
        if (place === jobCase.deaths.at(-1)) {
          await holder.reached();
          await jobCase.settled?.(world, team);
        }
        await killAt(place, more[index], team, id);
      }
      const { job, left } = await outcome(jobCase, team, id);
      expect(left).toEqual(expected.left);
      expect(job.attempts.map((attempt) => attempt.outcome)).toEqual([
        ...jobCase.deaths.map(() => "crashed"),
        "succeeded",
      ]);
    },
    600_000,
  );
});
