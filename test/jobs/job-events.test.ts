import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import type { JobEvent } from "#core/jobs/job-feed.ts";
import type { ApiClient } from "#test/harness/api-client.ts";
import { eventually } from "#test/harness/eventually.ts";
import { type Stack, startStack } from "#test/harness/stack.ts";
import { EventReader } from "./event-reader.ts";

/** What watchers see. Jobs are not worked here: the test tells the feed what happens, and says it in the database. */
let stack: Stack;
let teamId: string;
let client: ApiClient;
let readers: EventReader[] = [];

beforeAll(async () => {
  stack = await startStack({ postgres: inject("postgres"), workers: ["api"] });
});
afterAll(() => stack?.stop());
beforeEach(async () => {
  ({ teamId, client } = await stack.createTeam({ scopes: ["jobs"] }));
});
afterEach(() => {
  for (const reader of readers) reader.close();
  readers = [];
});

async function makeJob(): Promise<string> {
  const input = { type: "self_test", input: { count: 3 }, run_at: "2027-01-01T00:00:00Z" };
  return (await client.expect<{ id: string }>(202, "POST", "/v1/jobs", input)).id;
}

async function watch(jobId: string | null, lastEventId?: string): Promise<EventReader> {
  const path = jobId === null ? "/v1/jobs/events" : `/v1/jobs/${jobId}/events`;
  const reader = await EventReader.open(client, path, lastEventId);
  readers.push(reader);
  return reader;
}

type Happening = JobEvent extends infer Event
  ? Event extends JobEvent
    ? Omit<Event, "jobId" | "at">
    : never
  : never;
const tell = (jobId: string, ...events: Happening[]) =>
  stack.tellJobs(
    teamId,
    events.map((event) => ({ jobId, at: Date.now(), ...event }) as JobEvent), // the parts of one event, put together
  );
const progress = (done: number): Happening => ({ kind: "progress", done, total: 10, message: "" });
const log = (message: string): Happening => ({ kind: "log", message });

async function end(jobId: string, state: "succeeded" | "failed" = "succeeded"): Promise<void> {
  await stack.sql("UPDATE jobs SET state = $2, finished_at = now() WHERE id = $1", [jobId, state]);
  await tell(jobId, { kind: "state", state });
}

describe("whoever watches a job", () => {
  it("gets it as it is, then what happens within a second, then how it ended", async () => {
    const jobId = await makeJob();
    const reader = await watch(jobId);
    const { data } = await reader.has("snapshot");
    expect(data).toMatchObject({ id: jobId, state: "scheduled", steps: [], log: [] });
    await tell(jobId, progress(0)); // the first call of all opens the way there
    await reader.has("progress");
    for (const done of [1, 2, 3]) {
      const told = Date.now();
      await tell(jobId, progress(done));
      const { data, at } = await reader.has("progress", done + 1);
      expect(data).toMatchObject({ job_id: jobId, done, total: 10 });
      expect(at - told).toBeLessThan(1_000);
    }
    await tell(jobId, log("half way"), { kind: "step", name: "count", state: "done" });
    await end(jobId);
    await reader.end();
    expect(reader.state).toBe("ended");
    expect(reader.names.slice(-4)).toEqual(["log", "step", "state", "snapshot"]);
    expect(reader.events.at(-1)?.data).toMatchObject({ id: jobId, state: "succeeded" });
  });

  it("sees nothing of other jobs and other teams", async () => {
    const [jobId, other] = [await makeJob(), await makeJob()];
    const reader = await watch(jobId);
    await reader.has("snapshot");
    await tell(other, log("of another job"));
    const stranger = await stack.createTeam({ scopes: ["jobs"] });
    await stack.tellJobs(stranger.teamId, [
      { jobId, at: Date.now(), kind: "log", message: "of another team" },
    ]);
    await tell(jobId, log("its own"));
    await reader.has("log");
    expect(reader.of("log").map(({ data }) => data["message"])).toEqual(["its own"]);
  });

  it("comes again after a break and gets what was missed, each thing once", async () => {
    const jobId = await makeJob();
    const first = await watch(jobId);
    await tell(jobId, log("1"));
    await first.has("log");
    first.close();
    await tell(jobId, log("2"), progress(1), log("3"), progress(2));
    const second = await watch(jobId, first.lastId);
    await tell(jobId, log("4"));
    await second.has("log", 3);
    expect(second.names).toEqual(["log", "log", "progress", "log"]);
    expect(second.of("log").map(({ data }) => data["message"])).toEqual(["2", "3", "4"]);
    expect(second.of("progress").map(({ data }) => data["done"])).toEqual([2]);
  });

  it("may give the id of the last event as ?cursor, which a header that is newer overrules", async () => {
    const jobId = await makeJob();
    const first = await watch(jobId);
    await tell(jobId, log("1"), log("2"));
    await first.has("log", 2);
    const [one, two] = first.of("log");
    const path = `/v1/jobs/${jobId}/events?cursor=${one?.id}`;
    const byCursor = await EventReader.open(client, path);
    const byBoth = await EventReader.open(client, path, two?.id);
    readers.push(byCursor, byBoth);
    await tell(jobId, log("3"));
    await byCursor.has("log", 2);
    await byBoth.has("log");
    expect(byCursor.of("log").map(({ data }) => data["message"])).toEqual(["2", "3"]);
    expect(byBoth.of("log").map(({ data }) => data["message"])).toEqual(["3"]);
  });

  it("gets a snapshot where what was missed is not kept any more", async () => {
    const jobId = await makeJob();
    const first = await watch(jobId);
    await tell(jobId, log("old"));
    await first.has("log");
    first.close();
    for (let batch = 0; batch < 13; batch++)
      await tell(jobId, ...Array.from({ length: 200 }, (_, index) => log(`${batch}/${index}`)));
    const second = await watch(jobId, first.lastId);
    await second.has("snapshot");
    await tell(jobId, log("new"));
    await second.has("log");
    expect(second.names).toEqual(["snapshot", "log"]);
    expect(second.events.at(-1)?.data["message"]).toBe("new");
  });

  it("who had everything is told that there is no more, so that a browser stops asking", async () => {
    const jobId = await makeJob();
    const reader = await watch(jobId);
    await reader.has("snapshot");
    await end(jobId, "failed");
    await reader.end();
    expect(reader.lastId).toMatch(/-end$/);
    const again = await watch(jobId, reader.lastId);
    expect(again.status).toBe(204);
    // Who missed only the last snapshot still gets it.
    const terminal = reader.of("state").at(-1)?.id;
    const late = await watch(jobId, terminal);
    await late.end();
    expect(late.names).toEqual(["snapshot"]);
    expect(late.events[0]?.data).toMatchObject({ state: "failed" });
  });

  it("gets a job that is over as it is, at once and to its end", async () => {
    const jobId = await makeJob();
    await end(jobId);
    const reader = await watch(jobId);
    await reader.end();
    expect(reader.names).toEqual(["snapshot"]);
  });

  it("is not left hanging when whoever worked the job died before telling its end", async () => {
    const jobId = await makeJob();
    const reader = await watch(jobId);
    await reader.has("snapshot");
    const ended = Date.now();
    await stack.sql("UPDATE jobs SET state = 'failed', finished_at = now() WHERE id = $1", [jobId]);
    const again = { jobId, at: ended, kind: "state", state: "failed", again: true } as const;
    await stack.tellJobs(teamId, [again]);
    await reader.end();
    await stack.tellJobs(teamId, [again, again]);
    const team = await watch(null, reader.of("state")[0]?.id);
    await tell(jobId, log("the only one"));
    await team.has("log");
    expect(team.names).toEqual(["log"]);
  });

  it("is answered however strange its last id is", async () => {
    const jobId = await makeJob();
    const path = `/v1/jobs/${jobId}/events`;
    for (const id of ["0", "-1", "9007199254740993", "1e9", "abc", "12-end", "9".repeat(16), "١٢"])
      expect(
        await EventReader.open(client, path, encodeURIComponent(id)).then(async (reader) => {
          readers.push(reader);
          return (await reader.has("snapshot")).data["id"];
        }),
      ).toBe(jobId);
    for (const cursor of ["abc", "-1", "1e9", "1.5", "%00", "9".repeat(30)])
      await client.expect(400, "GET", `${path}?cursor=${cursor}`);
  });
});

describe("whoever watches a team", () => {
  it("gets its open jobs with counts, then what happens to any of them, without an end", async () => {
    const [one, two] = [await makeJob(), await makeJob()];
    const reader = await watch(null);
    const { data } = await reader.has("snapshot");
    expect(data["counts"]).toMatchObject({ scheduled: 2, running: 0 });
    expect((data["jobs"] as { id: string }[]).map(({ id }) => id)).toEqual([two, one]);
    await end(one);
    await tell(two, log("still here"));
    await reader.has("log");
    expect(reader.names).toEqual(["snapshot", "state", "log"]);
    expect(reader.state).toBe("open");
  });
});

describe("a reader that does not read", () => {
  it("is let go, while the others get everything", async () => {
    const jobId = await makeJob();
    const reader = await watch(jobId);
    await reader.has("snapshot");
    const lazy = await client.request("GET", `/v1/jobs/${jobId}/events`);
    // More than all buffers on the way hold.
    const text = "x".repeat(4_000);
    for (let batch = 1; batch <= 60; batch++) {
      await tell(jobId, ...Array.from({ length: 100 }, () => log(text)));
      await reader.has("log", batch * 100);
    }
    // What it gets in the end is what fitted on its way; then its connection breaks.
    await expect(lazy.text()).rejects.toThrow();
    await end(jobId);
    await reader.end();
    expect(reader.of("log")).toHaveLength(6_000);
  });
});

describe("kill -9 while somebody watches", () => {
  it("loses nothing: whoever comes again gets the rest, in order and once", async () => {
    const jobId = await makeJob();
    const got: string[] = [];
    let last: string | undefined;
    const collect = (reader: EventReader) => {
      for (const { data } of reader.of("log")) got.push(String(data["message"]));
      last = reader.events.length > 0 ? reader.lastId : last;
    };
    for (let round = 0; round < 3; round++) {
      const reader = await watch(jobId, last);
      if (round === 0) await reader.has("snapshot");
      await tell(jobId, log(`${round}a`), log(`${round}b`));
      await eventually(() => expect(got.length + reader.of("log").length).toBe(round * 3 + 2));
      await tell(jobId, log(`${round}c`));
      await stack.kill();
      await reader.end();
      expect(reader.state).toBe("broken");
      // What was told may or may not have reached this reader; the rest comes after.
      collect(reader);
      await stack.restart();
      const next = await watch(jobId, last);
      await eventually(() => expect(got.length + next.of("log").length).toBe(round * 3 + 3));
      collect(next);
      next.close();
    }
    expect(got).toEqual(["0a", "0b", "0c", "1a", "1b", "1c", "2a", "2b", "2c"]);
    const reader = await watch(jobId, last);
    await end(jobId);
    await reader.end();
    expect(reader.names).toEqual(["state", "snapshot"]);
  });
});

describe("Prefer: wait", () => {
  it("answers with the job that is over in time, without a look at Postgres in between", async () => {
    const input = { type: "self_test", run_at: "2027-01-01T00:00:00Z", input: {} };
    const waiting = client.request("POST", "/v1/jobs", input, { prefer: "respond-async, wait=30" });
    const job = await eventually(async () => {
      const { data } = await client.expect<{ data: { id: string }[] }>(200, "GET", "/v1/jobs");
      if (!data[0]) throw new Error("not made yet");
      return data[0];
    });
    const [before] = await stack.sql<{ xact_commit: string }>(
      "SELECT xact_commit::text FROM pg_stat_database WHERE datname = current_database()",
    );
    expect(before).toBeDefined();
    await end(job.id);
    const response = await waiting;
    expect(response.status).toBe(200);
    expect(response.headers.get("preference-applied")).toBe("wait=30");
    expect(await response.json()).toMatchObject({ id: job.id, state: "succeeded" });
  });

  it("answers 202 when it is not", async () => {
    const input = { type: "self_test", run_at: "2027-01-01T00:00:00Z", input: {} };
    const response = await client.request("POST", "/v1/jobs", input, { prefer: "wait=1" });
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({ state: "scheduled" });
  });

  it.each(["", "wait", "wait=", "wait=-5", "wait=abc", "handling=lenient"])(
    "%j waits for nothing",
    async (prefer) => {
      const input = { type: "self_test", run_at: "2027-01-01T00:00:00Z", input: {} };
      const response = await client.request("POST", "/v1/jobs", input, { prefer });
      expect(response.status).toBe(202);
      expect(response.headers.get("preference-applied")).toBeNull();
    },
  );
});
