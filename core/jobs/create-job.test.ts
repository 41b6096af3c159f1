import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { z } from "zod";
import type { Principal } from "../kernel/principal.ts";
import { newId } from "../kernel/ids.ts";
import { openTestDatabase, type TestDatabase } from "#test/usage/database.ts";
import { createJob, type CreateJobInput } from "./create-job.ts";
import { getJob } from "./get-job.ts";
import type { JobDesk } from "./job-ports.ts";
import type { JobType } from "./job-type.ts";
import { JOBS_OF_TEAM } from "./job.ts";

let database: TestDatabase;
let teamId: string;
beforeAll(async () => {
  database = await openTestDatabase(inject("postgres"));
  teamId = await makeTeam();
});
afterAll(() => database.drop());

async function makeTeam(): Promise<string> {
  const id = newId("team");
  await database.pool.query("INSERT INTO teams (id, name) VALUES ($1, 'A team')", [id]);
  return id;
}

const count: JobType<{ upTo: number }, number> = {
  name: "count",
  summary: "Counts.",
  scope: "jobs",
  input: z.object({ upTo: z.number().int().max(10), note: z.string().optional() }),
  result: z.number(),
};
const needsChat = { ...count, scope: "chat" as const };

const key = (over: Partial<Extract<Principal, { kind: "key" }>> = {}): Principal => ({
  kind: "key",
  teamId,
  keyId: "key_a",
  scopes: ["jobs"],
  models: ["small"],
  ...over,
});
let dispatched = 0;
const desk: JobDesk = {
  dispatch: () => Promise.resolve(void dispatched++),
  queueAgeLimitSeconds: 300,
};
const create = (
  input: Partial<CreateJobInput<{ upTo: number }, number>> = {},
  principal: Principal = key(),
) =>
  createJob(database.context({ principal }), desk, { type: count, input: { upTo: 3 }, ...input });

it("is a row that waits for capacity, with what its maker may do", async () => {
  const { job, created } = await create();
  expect(created).toBe(true);
  const context = database.context({ principal: key() });
  expect(await getJob(context, { jobId: job.id })).toMatchObject({
    id: job.id,
    teamId,
    type: "count",
    input: { upTo: 3 },
    state: "queued",
    waitingFor: "capacity",
    createdBy: "key:key_a",
    scopes: ["jobs"],
    models: ["small"],
    priority: 0,
    attempts: [],
    timeline: [],
    log: [],
    results: [],
  });
});

it("is dispatched after its commit, and stays when that fails", async () => {
  const before = dispatched;
  await create();
  expect(dispatched).toBe(before + 1);
  const failing = { ...desk, dispatch: () => Promise.reject(new Error("The queue is down")) };
  const { job } = await createJob(database.context({ principal: key() }), failing, {
    type: count,
    input: { upTo: 1 },
  });
  expect(job.state).toBe("queued");
});

it("waits for its time when it has one ahead, and is queued at once when that is past", async () => {
  const later = await create({ runAt: new Date(Date.now() + 3_600_000) });
  expect(later.job).toMatchObject({ state: "scheduled", waitingFor: "run_at" });
  const past = await create({ runAt: new Date(Date.now() - 3_600_000) });
  expect(past.job).toMatchObject({ state: "queued", waitingFor: "capacity", dueAt: null });
  const never = create({ runAt: new Date(Date.now() + 400 * 24 * 3_600_000) });
  await expect(never).rejects.toMatchObject({ code: "validation_failed" });
});

it("gives the same job for the same key, however many ask at once", async () => {
  const made = await Promise.all(
    Array.from({ length: 6 }, () => create({ idempotencyKey: "nightly" })),
  );
  expect(new Set(made.map(({ job }) => job.id)).size).toBe(1);
  expect(made.filter(({ created }) => created)).toHaveLength(1);
});

it("refuses the same key with another input or type, and takes it from another team", async () => {
  await create({ idempotencyKey: "mine" });
  const other = create({ idempotencyKey: "mine", input: { upTo: 4 } });
  await expect(other).rejects.toMatchObject({ code: "idempotency_mismatch" });
  const otherType = create({ idempotencyKey: "mine", type: { ...count, name: "count_down" } });
  await expect(otherType).rejects.toMatchObject({ code: "idempotency_mismatch" });
  const elsewhere = key({ teamId: await makeTeam() });
  expect((await create({ idempotencyKey: "mine" }, elsewhere)).created).toBe(true);
});

it("refuses what the type does not take, with the path of each fault", async () => {
  await expect(create({ input: { upTo: 11, note: 5 } })).rejects.toMatchObject({
    code: "validation_failed",
    fields: [{ path: "input.upTo" }, { path: "input.note" }],
  });
  await expect(create({ input: undefined })).rejects.toMatchObject({ code: "validation_failed" });
});

it("refuses an input of more than 256 KiB, by bytes and not by characters", async () => {
  const fits = { upTo: 1, note: "a".repeat(256 * 1024 - 30) };
  expect((await create({ input: fits })).created).toBe(true);
  const large = { upTo: 1, note: "ش".repeat(140 * 1024) };
  await expect(create({ input: large })).rejects.toMatchObject({ code: "validation_failed" });
});

it("keeps any text to the letter, NUL and broken Unicode too", async () => {
  const note = "a\u0000b\ud800c";
  const { job } = await create({ input: { upTo: 1, note } });
  const read = await getJob(database.context({ principal: key() }), { jobId: job.id });
  expect(read.input).toEqual({ upTo: 1, note });
});

it("asks for the scope of jobs and for that of the type", async () => {
  const noJobs = create({}, key({ scopes: ["chat"] }));
  await expect(noJobs).rejects.toMatchObject({ code: "missing_scope" });
  const noChat = create({ type: needsChat });
  await expect(noChat).rejects.toMatchObject({ code: "missing_scope" });
  expect((await create({ type: needsChat }, key({ scopes: ["jobs", "chat"] }))).created).toBe(true);
});

it("shows a job to nobody of another team, nor to another user of the team's app", async () => {
  const { job } = await create();
  const stranger = database.context({ principal: key({ teamId: await makeTeam() }) });
  await expect(getJob(stranger, { jobId: job.id })).rejects.toMatchObject({ code: "not_found" });
  const user = (endUser: string): Principal => ({
    kind: "token",
    teamId,
    issuer: "https://issuer.test",
    subject: endUser,
    member: null,
    scopes: ["jobs"],
    models: ["*"],
    endUser,
  });
  const own = await create({}, user("ann"));
  const read = (principal: Principal) =>
    getJob(database.context({ principal }), { jobId: own.job.id });
  expect((await read(user("ann"))).endUser).toBe("ann");
  await expect(read(user("bob"))).rejects.toMatchObject({ code: "not_found" });
  expect((await read(key())).id).toBe(own.job.id);
});

it("refuses a team more jobs than it may have waiting, and says when to come again", async () => {
  const full = key({ teamId: await makeTeam() });
  await database.pool.query(
    `INSERT INTO jobs (id, team_id, type, input, created_by, scopes, models, request_hash, state)
     SELECT 'job_full_' || n, $1, 'count', '{}', 'x', '{}', '{}', '', 'queued' FROM generate_series(1, $2) AS n`,
    [full.teamId, JOBS_OF_TEAM],
  );
  const refused = create({}, full);
  await expect(refused).rejects.toMatchObject({
    code: "rate_limit_exceeded",
    retryAfterSeconds: 60,
  });
  await database.pool.query("UPDATE jobs SET state = 'succeeded' WHERE id = 'job_full_1'");
  expect((await create({}, full)).created).toBe(true);
});

it("takes no job of low priority while others wait for too long, but takes the rest", async () => {
  await database.pool.query(
    "INSERT INTO job_pressure (oldest_queued_at) VALUES (now() - interval '301 seconds')",
  );
  try {
    const low = create({ priority: "low" });
    await expect(low).rejects.toMatchObject({ code: "unavailable", retryAfterSeconds: 60 });
    expect((await create({ priority: "normal" })).created).toBe(true);
    await database.pool.query(
      "UPDATE job_pressure SET oldest_queued_at = now() - interval '250 seconds'",
    );
    expect((await create({ priority: "low" })).job.priority).toBe(-1);
  } finally {
    await database.pool.query("DELETE FROM job_pressure");
  }
});

it("goes with its team", async () => {
  const gone = await makeTeam();
  const { job } = await create({}, key({ teamId: gone }));
  await database.pool.query("DELETE FROM teams WHERE id = $1", [gone]);
  const { rowCount } = await database.pool.query("SELECT 1 FROM jobs WHERE id = $1", [job.id]);
  expect(rowCount).toBe(0);
  const late = create({}, key({ teamId: gone }));
  await expect(late).rejects.toMatchObject({ code: "not_found" });
});
