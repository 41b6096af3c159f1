// A process of its own: the built Workers and a Postgres that writes through to the disk. Prints one line of JSON.
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { startPostgresServer } from "../../test/harness/postgres.ts";
import { startStack } from "../../test/harness/stack.ts";
import { planOfProcess, switchyardJobs } from "./job-plan.ts";

type Team = Awaited<ReturnType<Awaited<ReturnType<typeof startStack>>["createTeam"]>>;

/** Requests that make jobs, at once. */
const MAKERS = 16;
/** How often the cron Worker is called, as where it is deployed, in milliseconds. */
const TICK_MS = 60_000;
const LOOK_MS = 100;
const DEADLINE_MS = 15 * 60_000;

const plan = planOfProcess();
const server = await startPostgresServer({ durable: true });
const stack = await startStack({
  postgres: server,
  vars: { JOB_IN_BACKGROUND: "1", JOB_CAPACITY: String(plan.capacity) },
});
try {
  const large = await stack.createTeam({ name: "Large" });
  const others: Team[] = [];
  while (others.length < plan.teams - 1)
    others.push(await stack.createTeam({ name: `Small ${others.length + 1}` }));

  // For later, so that none begins before all are there: the large team's first.
  const madeFrom = performance.now();
  await make(Array.from({ length: plan.large }, () => large));
  await make(Array.from({ length: plan.jobs - plan.large }, (_, at) => teamAt(others, at)));
  const makingMs = performance.now() - madeFrom;

  await stack.sql("UPDATE jobs SET due_at = now() WHERE state = 'scheduled'");
  await workAll();
  const [row] = await stack.sql<{ succeeded: number; startedOfLarge: number; ms: number }>(
    `SELECT count(*) FILTER (WHERE state = 'succeeded' AND result ->> 'counted' = $2)::integer AS succeeded,
            count(*) FILTER (WHERE team_id = $1 AND started_at <= others.ended)::integer AS "startedOfLarge",
            (extract(epoch FROM max(finished_at) - min(queued_at)) * 1000)::double precision AS ms
     FROM jobs, (SELECT max(finished_at) AS ended FROM jobs WHERE team_id <> $1) AS others`,
    [large.teamId, String(plan.count)],
  );
  assert.equal(row?.succeeded, plan.jobs, "every job must succeed");
  console.log(JSON.stringify(switchyardJobs.parse({ ...row, makingMs })));
} finally {
  await stack.stop();
  await server.stop();
}

/** One job for each of these teams, in their order. */
async function make(of: readonly Team[]): Promise<void> {
  const runAt = new Date(Date.now() + 3_600_000).toISOString();
  const left = [...of];
  const maker = async () => {
    for (let team = left.shift(); team !== undefined; team = left.shift())
      await team.client.expect(202, "POST", "/v1/jobs", {
        type: "self_test",
        input: { count: plan.count },
        run_at: runAt,
      });
  };
  await Promise.all(Array.from({ length: MAKERS }, maker));
}

function teamAt(teams: readonly Team[], at: number): Team {
  const team = teams[at % teams.length];
  assert(team, "there is no other team");
  return team;
}

/** Lets the jobs in whose time has come, and waits until all have ended. */
async function workAll(): Promise<void> {
  const until = performance.now() + DEADLINE_MS;
  let nextTick = 0;
  for (;;) {
    if (performance.now() >= nextTick) {
      nextTick = performance.now() + TICK_MS;
      await stack.tick();
    }
    const [row] = await stack.sql<{ left: number }>(
      "SELECT count(*)::integer AS left FROM jobs WHERE finished_at IS NULL",
    );
    if (row?.left === 0) return;
    assert(performance.now() < until, `${row?.left} jobs have not ended after ${DEADLINE_MS} ms`);
    await delay(LOOK_MS);
  }
}
