import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { eventually } from "#test/harness/eventually.ts";
import { type Stack, startStack } from "#test/harness/stack.ts";

interface SeenJob {
  id: string;
  state: string;
  attempt: number;
  result: unknown;
  progress: { done: number; total: number };
  attempts: { outcome: string | null }[];
  steps: { name: string; count: number; state: string }[];
  results: { name: string; size: number; url: string }[];
}

let stack: Stack;
let team: Awaited<ReturnType<Stack["createTeam"]>>;
beforeAll(async () => {
  stack = await startStack({
    postgres: inject("postgres"),
    vars: { JOB_LEASE_SECONDS: "3", JOB_IN_BACKGROUND: "1" },
  });
  team = await stack.createTeam();
});
afterAll(() => stack.stop());

const start = async (input: Record<string, unknown>) =>
  (await team.client.expect<SeenJob>(202, "POST", "/v1/jobs", { type: "self_test", input })).id;
const job = (id: string) => team.client.expect<SeenJob>(200, "GET", `/v1/jobs/${id}`);

it("goes on where it was after kill -9 of the runtime in the middle of a job, and repeats no committed chunk", async () => {
  const id = await start({ count: 60, pause_ms: 50 });
  for (const reached of [5, 20, 35]) {
    await eventually(async () => expect((await job(id)).steps[0]?.count).toBeGreaterThan(reached));
    await stack.kill();
    await stack.restart();
    const left = (await job(id)).steps[0]?.count ?? 0;
    expect(left).toBeGreaterThan(reached);
    // Nothing is left of the queue; the sweeper finds that nobody has been heard of for the time of a lease.
    await eventually(async () => {
      await stack.tick();
      expect((await job(id)).attempts.length).toBeGreaterThan([5, 20, 35].indexOf(reached) + 1);
    });
  }
  const done = await eventually(async () => {
    const seen = await job(id);
    expect(seen.state).toBe("succeeded");
    return seen;
  });
  expect(done.attempts.map((attempt) => attempt.outcome)).toEqual([
    "crashed",
    "crashed",
    "crashed",
    "succeeded",
  ]);
  // Each number is a chunk, and each commit counts: as many commits as numbers is each exactly once.
  expect(done.steps).toMatchObject([
    { name: "count", count: 60, state: "done" },
    { name: "write the file", state: "done" },
  ]);
  expect(done.result).toEqual({ counted: 60, approved: null });
  const [file] = done.results;
  const text = await (await team.client.request("GET", file?.url ?? "")).text();
  expect(text.trim().split("\n")).toHaveLength(61);
}, 240_000);

it("works several jobs at once where the local queue delivers one message at a time", async () => {
  const started = Date.now();
  const ids = await Promise.all(
    Array.from({ length: 6 }, () => start({ count: 20, pause_ms: 100 })),
  );
  await eventually(async () => {
    for (const id of ids) expect((await job(id)).state).toBe("succeeded");
  });
  const [row] = await stack.sql<{ together: number }>(
    `SELECT max(n)::integer AS together FROM (
       SELECT (SELECT count(*) FROM jobs AS other WHERE other.started_at <= jobs.started_at AND other.finished_at > jobs.started_at) AS n
       FROM jobs WHERE id = ANY ($1)) AS counts`,
    [ids],
  );
  expect(row?.together, `after ${Date.now() - started} ms`).toBeGreaterThan(2);
}, 240_000);
