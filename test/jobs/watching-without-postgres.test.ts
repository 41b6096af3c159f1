import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { type CountingLink, startCountingLink } from "#test/harness/counting-link.ts";
import { type Stack, startStack } from "#test/harness/stack.ts";
import { EventReader } from "./event-reader.ts";

const WATCHERS = 50;
/** For how long they watch, in milliseconds. */
const WATCHED_MS = 6_000;

let stack: Stack;
let postgres: CountingLink;
const readers: EventReader[] = [];

beforeAll(async () => {
  const server = inject("postgres");
  postgres = await startCountingLink(server.neonProxy);
  stack = await startStack({
    postgres: server,
    workers: ["api"],
    vars: { NEON_LOCAL_PROXY: postgres.address },
  });
});
afterAll(async () => {
  for (const reader of readers) reader.close();
  await stack?.stop();
  await postgres?.stop();
});

it("50 open connections ask Postgres nothing while jobs run, and each sees progress within a second", async () => {
  const { teamId, client } = await stack.createTeam({ scopes: ["jobs"] });
  const ids: string[] = [];
  for (let index = 0; index < WATCHERS; index++) {
    const input = { type: "self_test", input: { count: 3 }, run_at: "2027-01-01T00:00:00Z" };
    ids.push((await client.expect<{ id: string }>(202, "POST", "/v1/jobs", input)).id);
  }
  await stack.sql("UPDATE jobs SET state = 'running', due_at = NULL, waiting_for = NULL");
  for (const id of ids) readers.push(await EventReader.open(client, `/v1/jobs/${id}/events`));
  for (const reader of readers) await reader.has("snapshot");

  const before = postgres.asked();
  const began = Date.now();
  const slowest: number[] = [];
  for (let round = 1; Date.now() - began < WATCHED_MS || round < 10; round++) {
    const told = Date.now();
    await stack.tellJobs(
      teamId,
      ids.map((jobId) => ({
        jobId,
        at: told,
        kind: "progress" as const, // else its type would be any text
        done: round,
        total: 1_000,
        message: "",
      })),
    );
    const seen = await Promise.all(readers.map((reader) => reader.has("progress", round)));
    for (const { data } of seen) expect(data["done"]).toBe(round);
    slowest.push(Math.max(...seen.map(({ at }) => at - told)));
  }
  expect(postgres.asked() - before).toBe(0);
  // Of each round the one that waited longest; a busy machine may be late once.
  const sorted = slowest.toSorted((one, other) => one - other);
  expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThan(1_000);

  // That is no counter which stands still: their ends are read from Postgres.
  await stack.sql("UPDATE jobs SET state = 'succeeded', finished_at = now()");
  await stack.tellJobs(
    teamId,
    ids.map((jobId) => ({ jobId, at: Date.now(), kind: "state", state: "succeeded" as const })), // as above
  );
  for (const reader of readers) await reader.end();
  expect(readers.map((reader) => reader.events.at(-1)?.data["state"])).toEqual(
    ids.map(() => "succeeded"),
  );
  expect(postgres.asked() - before).toBeGreaterThan(1_000);
}, 300_000);
