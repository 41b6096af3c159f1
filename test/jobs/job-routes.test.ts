import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import type { ApiClient } from "#test/harness/api-client.ts";
import { eventually } from "#test/harness/eventually.ts";
import { type Stack, startStack } from "#test/harness/stack.ts";
import { EventReader } from "./event-reader.ts";

/** The routes of jobs over the engine that works them. */
let stack: Stack;
let client: ApiClient;
let teamId: string;
beforeAll(async () => {
  stack = await startStack({ postgres: inject("postgres"), vars: { JOB_LEASE_SECONDS: "3" } });
});
afterAll(() => stack?.stop());
beforeEach(async () => {
  ({ client, teamId } = await stack.createTeam({ scopes: ["jobs"] }));
});

interface Job {
  id: string;
  state: string;
  result: unknown;
  progress: { done: number };
  results: { name: string; url: string }[];
  error: { message: string } | null;
}
interface Page {
  data: Job[];
  next_cursor: string | null;
  counts?: Record<string, number>;
}

const make = (input: object = {}, more: object = {}, headers: Record<string, string> = {}) =>
  client.request("POST", "/v1/jobs", { type: "self_test", input, ...more }, headers);
const made = async (...parts: Parameters<typeof make>) => {
  const response = await make(...parts);
  expect(response.status).toBe(202);
  return (await response.json()) as Job;
};
const read = (id: string) => client.expect<Job>(200, "GET", `/v1/jobs/${id}`);
const reaches = (id: string, state: string) =>
  eventually(async () => {
    const job = await read(id);
    expect(job.state).toBe(state);
    return job;
  });
const LATER = { run_at: "2027-01-01T00:00:00Z" };

describe("a job", () => {
  it("is worked, and answered when somebody waits for it", async () => {
    const response = await make({ count: 3 }, {}, { prefer: "wait=50" });
    const job = (await response.json()) as Job;
    expect([response.status, job.state]).toEqual([200, "succeeded"]);
    expect(job.result).toEqual({ counted: 3, approved: null });
    const file = await client.request("GET", job.results[0]?.url ?? "");
    expect(await file.text()).toBe("number\n1\n2\n3\n");
  });

  it("is not waited for when it ended so long ago that no feed knows of it", async () => {
    const key = { idempotency_key: "import of the 2nd" };
    const { id } = await made({ count: 1 }, { ...LATER, ...key });
    await stack.sql("UPDATE jobs SET state = 'cancelled', finished_at = now() WHERE id = $1", [id]);
    const begun = Date.now();
    const answer = await make({ count: 1 }, { ...LATER, ...key }, { prefer: "wait=40" });
    const job = (await answer.json()) as Job;
    expect([answer.status, job.id, job.state]).toEqual([200, id, "cancelled"]);
    expect(Date.now() - begun).toBeLessThan(20_000);
  });

  it("is made once for one key, however often it is asked for, and not for another body", async () => {
    const key = { idempotency_key: "import of the 3rd" };
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => made({ count: 1 }, { ...LATER, ...key })),
    );
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    expect((await make({ count: 2 }, { ...LATER, ...key })).status).toBe(422);
    const header = { "idempotency-key": crypto.randomUUID() };
    const first = await made({ count: 5 }, LATER, header);
    expect((await made({ count: 5 }, LATER, header)).id).toBe(first.id);
    expect((await make({ count: 6 }, LATER, header)).status).toBe(422);
    // Another team's key of the same name is another key.
    const other = await stack.createTeam({ scopes: ["jobs"] });
    const input = { type: "self_test", input: { count: 2 }, ...LATER, ...key };
    await other.client.expect(202, "POST", "/v1/jobs", input);
  });

  it.each([
    [{ type: "nothing" }, "type"],
    [{ input: { count: "3" } }, "input.count"],
    [{ input: { count: 3, more: 1 } }, "input.more"],
    [{ run_at: "tomorrow" }, "run_at"],
    [{ run_at: "2030-01-01T00:00:00Z" }, "run_at"],
    [{ priority: "urgent" }, "priority"],
    [{ idempotency_key: "\u0000" }, "idempotency_key"],
    [{ colour: "red" }, "colour"],
  ])("with %j is refused by the name of the field", async (over, path) => {
    const body = { type: "self_test", input: {}, ...over };
    const problem = await client.expect<{ errors: { path: string }[] }>(
      422,
      "POST",
      "/v1/jobs",
      body,
    );
    expect(problem.errors[0]?.path).toMatch(new RegExp(`^${path}`));
  });

  it("waits for an event, which counts once, and goes on with what came", async () => {
    const { id } = await made({ count: 1, approval: true });
    await reaches(id, "scheduled");
    const event = { name: "approval", payload: { by: "Ada" }, id: "one" };
    const path = `/v1/jobs/${id}/events`;
    expect(await client.expect(202, "POST", path, event)).toEqual({ id: "one", created: true });
    expect(await client.expect(202, "POST", path, event)).toEqual({ id: "one", created: false });
    expect((await reaches(id, "succeeded")).result).toMatchObject({ approved: { by: "Ada" } });
    await client.expect(409, "POST", path, { ...event, id: "late" });
  });

  it("has a type that says what it takes, and how many may run or fail", async () => {
    const { data } = await client.expect<{ data: { name: string }[] }>(
      200,
      "GET",
      "/v1/jobs/types",
    );
    expect(data.find(({ name }) => name === "import_campaign_data")).toMatchObject({
      scope: "jobs",
      input: { type: "object", required: expect.arrayContaining(["upload_id"]) },
      at_once: { team: 1, total: null },
      starts: null,
      attempts: 5,
    });
  });

  it("takes an event without a payload", async () => {
    const { id } = await made({ count: 1, approval: true });
    await client.expect(202, "POST", `/v1/jobs/${id}/events`, { name: "approval" });
    expect((await reaches(id, "succeeded")).result).toEqual({ counted: 1, approved: null });
  });

  it("stops when it is cancelled, and goes on where it was when it is retried", async () => {
    const { id } = await made({ count: 30, pause_ms: 200 });
    await eventually(async () => expect((await read(id)).progress.done).toBeGreaterThan(2));
    await client.expect(200, "POST", `/v1/jobs/${id}/cancel`);
    const { progress } = await reaches(id, "cancelled");
    expect(progress.done).toBeLessThan(30);
    await client.expect(200, "POST", `/v1/jobs/${id}/cancel`);
    const reader = await EventReader.open(client, `/v1/jobs/${id}/events`);
    await reader.end(); // it is over
    // As curl sends it whose every request says that it is JSON.
    const retried = await client.expect<Job>(200, "POST", `/v1/jobs/${id}/retry`, "");
    expect(["queued", "running"]).toContain(retried.state);
    const again = await EventReader.open(client, `/v1/jobs/${id}/events`, reader.lastId);
    await again.end();
    expect(again.events.at(-1)?.data).toMatchObject({
      state: "succeeded",
      result: { counted: 30 },
    });
    const seen = again.of("progress").map(({ data }) => Number(data["done"]));
    expect(Math.min(...seen, 30)).toBeGreaterThanOrEqual(progress.done);
    await client.expect(409, "POST", `/v1/jobs/${id}/retry`);
  });
});

describe("a search", () => {
  it("finds jobs by state, type, time and text, in pages, with counts", async () => {
    const jobs: Job[] = [];
    for (const [index, key] of ["alpha 100%", "beta_x", "betaAx", "gamma\\"].entries())
      jobs.push(await made({ count: index }, { ...LATER, idempotency_key: key }));
    const search = async (query: Record<string, string>) =>
      client.expect<Page>(200, "GET", `/v1/jobs?${new URLSearchParams(query)}`);
    const found = async (query: Record<string, string>) =>
      (await search(query)).data.map(({ id }) => id);
    const id = (index: number) => jobs[index]?.id ?? "";
    expect(await found({ q: "100%" })).toEqual([id(0)]);
    expect(await found({ q: "beta_" })).toEqual([id(1)]);
    expect(await found({ q: "BETA" })).toEqual([id(2), id(1)]);
    expect(await found({ q: "\\" })).toEqual([id(3)]);
    expect(await found({ q: '"count":3' })).toEqual([id(3)]);
    expect(await found({ q: id(2) })).toEqual([id(2)]);
    expect(await found({ type: "nothing" })).toEqual([]);
    expect(await found({ state: "queued,running" })).toEqual([]);
    expect(await found({ from: "2099-01-01T00:00:00Z" })).toEqual([]);
    const first = await search({ limit: "3", state: "scheduled" });
    expect(first.counts).toMatchObject({ scheduled: 4, failed: 0 });
    const rest = await search({ limit: "3", state: "scheduled", cursor: first.next_cursor ?? "" });
    expect(rest.counts).toBeUndefined();
    expect([...first.data, ...rest.data].map((job) => job.id)).toEqual([3, 2, 1, 0].map(id));
    for (const query of ["state=done", "from=yesterday", "q=%00", "limit=0", "limit=201"])
      await client.expect(422, "GET", `/v1/jobs?${query}`);
    const mine = await stack.admin.expect<Page>(200, "GET", `/v1/jobs?team_id=${teamId}`);
    expect(mine.data).toHaveLength(4);
  });

  it("cancels and retries what it finds, so many at a time, and says what is left", async () => {
    const other = await stack.createTeam({ scopes: ["jobs"] });
    await other.client.expect(202, "POST", "/v1/jobs", { type: "self_test", input: {}, ...LATER });
    const jobs: Job[] = [];
    for (let index = 0; index < 5; index++) jobs.push(await made({ count: index }, LATER));
    interface Bulk {
      changed: string[];
      count: number;
      left: number;
    }
    const bulk = (verb: string, input: object) =>
      client.expect<Bulk>(200, "POST", `/v1/jobs/${verb}`, input);
    await client.expect(422, "POST", "/v1/jobs/cancel", {});
    const two = await bulk("cancel", { all: true, limit: 2 });
    expect(two).toEqual({ changed: jobs.slice(0, 2).map(({ id }) => id), count: 2, left: 3 });
    expect(await bulk("cancel", { type: "self_test" })).toMatchObject({ count: 3, left: 0 });
    expect(await bulk("cancel", { all: true })).toEqual({ changed: [], count: 0, left: 0 });
    const entries = await stack.sql(
      "SELECT 1 FROM audit_entries WHERE action = 'job.cancel' AND team_id = $1",
      [teamId],
    );
    expect(entries).toHaveLength(5);
    expect(await bulk("retry", { state: ["failed"] })).toMatchObject({ count: 0, left: 0 });
    expect(await bulk("retry", { state: ["cancelled"], limit: 4 })).toMatchObject({
      count: 4,
      left: 1,
    });
    for (const { id } of jobs.slice(0, 4)) await reaches(id, "succeeded");
    const { data } = await other.client.expect<Page>(200, "GET", "/v1/jobs");
    expect(data.map(({ state }) => state)).toEqual(["scheduled"]);
  });
});

describe("kill -9 of the runtime while a job runs and somebody watches", () => {
  it("loses neither: the watcher comes again and sees it to its end", async () => {
    const { id } = await made({ count: 20, pause_ms: 150 });
    const path = `/v1/jobs/${id}/events`;
    const first = await EventReader.open(client, path);
    await first.has("progress", 2);
    await stack.kill();
    await first.end();
    await stack.restart();
    const second = await EventReader.open(client, path, first.lastId);
    // The message died with the queue: the sweeper brings the job back once its lease is over.
    let minute = Date.now();
    await eventually(async () => {
      await stack.tick(new Date((minute += 60_000)));
      expect(second.state).not.toBe("open");
    });
    expect(second.events.at(-1)?.data).toMatchObject({
      state: "succeeded",
      result: { counted: 20 },
    });
    expect(second.events.at(-1)?.id).toMatch(/-end$/);
  });
});
