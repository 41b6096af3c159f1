import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { newId } from "#core/kernel/ids.ts";
import { expireUploads } from "#core/uploads/expire-uploads.ts";
import { eraseTeamFiles } from "#core/teams/erase-team-files.ts";
import { deleteTeam } from "#core/teams/delete-team.ts";
import { eventually } from "#test/harness/eventually.ts";
import { memoryFiles } from "#test/jobs/memory-files.ts";
import { openTestDatabase, type TestDatabase } from "#test/usage/database.ts";
import { removeOldJobs } from "./remove-old-jobs.ts";
import { retryJob } from "./retry-job.ts";

let database: TestDatabase;
const files = memoryFiles();
let teamId: string;
beforeAll(async () => (database = await openTestDatabase(inject("postgres"))));
afterAll(() => database.drop());
beforeEach(async () => {
  files.contents.clear();
  await database.pool.query("DELETE FROM teams; DELETE FROM deleted_teams");
  teamId = await team();
});

const NOW = new Date("2026-11-21T12:00:00.000Z");
const daysAgo = (days: number) => new Date(NOW.getTime() - days * 86_400_000);
const LATER = new Date(NOW.getTime() + 60_000);

async function team(id = newId("team")): Promise<string> {
  await database.pool.query("INSERT INTO teams (id, name) VALUES ($1, 'A team')", [id]);
  return id;
}

interface Made {
  state?: string;
  /** Days since its end; null where it has not ended. */
  ended?: number | null;
  parent?: string;
  input?: object;
  team?: string;
}

async function job({ state = "succeeded", ended = 31, ...more }: Made = {}): Promise<string> {
  const id = newId("job");
  await database.pool.query(
    `INSERT INTO jobs (id, team_id, type, input, created_by, scopes, models, request_hash, state, finished_at, parent_id, parent_step, child_index)
     VALUES ($1, $2, 'self_test', $3, 'key:key_a', '{}', '{}', 'x', $4, $5, $6, $7, $8)`,
    [
      id,
      more.team ?? teamId,
      more.input ?? {},
      state,
      ended === null ? null : daysAgo(ended),
      more.parent ?? null,
      more.parent === undefined ? null : "children",
      more.parent === undefined ? null : Math.floor(Math.random() * 1e9),
    ],
  );
  return id;
}

const stored = async (key: string) => {
  await files.put(key, "x", { contentType: "text/plain" });
  return key;
};
const kept = () => [...files.contents.keys()].toSorted();
const left = async () =>
  (await database.pool.query<{ id: string }>("SELECT id FROM jobs ORDER BY id")).rows.map(
    ({ id }) => id,
  );
const clean = (store = files, days = 30) =>
  removeOldJobs(database.context({ now: NOW }), {
    files: store,
    before: daysAgo(days),
    deadline: LATER,
  });

describe("a job that ended long ago goes", () => {
  it("with all that tells of it, and with what a process that died has left in the store", async () => {
    const [old, fresh] = [await job(), await job({ ended: 29 })];
    for (const id of [old, fresh]) {
      await database.pool.query(
        `INSERT INTO job_steps (job_id, position, name, kind, state, attempt, started_at) VALUES ($1, 0, 'a', 'run', 'done', 1, now())`,
        [id],
      );
      await database.pool.query(
        `INSERT INTO job_log_lines (job_id, number, attempt, message, at) VALUES ($1, 1, 1, 'a', now())`,
        [id],
      );
      await stored(`${teamId}/jobs/${id}/pieces/000001.json`);
    }
    expect(await clean()).toEqual({ jobs: 1, more: false });
    expect(await left()).toEqual([fresh]);
    expect(kept()).toEqual([`${teamId}/jobs/${fresh}/pieces/000001.json`]);
    const { rows } = await database.pool.query(
      "SELECT job_id FROM job_steps UNION ALL SELECT job_id FROM job_log_lines",
    );
    expect(rows).toEqual([{ job_id: fresh }, { job_id: fresh }]);
    expect(await clean()).toEqual({ jobs: 0, more: false });
  });

  it("in batches, as far as there is time", async () => {
    for (let index = 0; index < 120; index++) await job({ ended: 31 + index });
    const context = database.context({ now: NOW });
    const over = { files, before: daysAgo(30), deadline: daysAgo(1) };
    expect(await removeOldJobs(context, over)).toEqual({ jobs: 0, more: true });
    expect(await clean()).toEqual({ jobs: 120, more: false });
  });
});

describe("nothing goes that is still needed:", () => {
  it("jobs that have not ended, however old they are", async () => {
    const open = [];
    for (const state of ["queued", "scheduled", "running", "retrying"])
      open.push(await job({ state, ended: null }));
    // Its last end is long ago, and it goes on.
    open.push(await job({ state: "running", ended: 400 }));
    expect(await clean()).toMatchObject({ jobs: 0 });
    expect(await left()).toEqual(open.toSorted());
  });

  it("parents of children that run, children of parents that are there", async () => {
    const parent = await job({ state: "failed" });
    const running = await job({ parent, state: "running", ended: null });
    const waits = await job({ state: "scheduled", ended: null });
    const done = await job({ parent: waits });
    expect(await clean()).toMatchObject({ jobs: 0 });
    expect(await left()).toEqual([parent, running, waits, done].toSorted());
    await database.pool.query(
      "UPDATE jobs SET state = 'succeeded', finished_at = $1 WHERE finished_at IS NULL",
      [daysAgo(31)],
    );
    // First the parents, then their children.
    await clean();
    await clean();
    expect(await left()).toEqual([]);
  });

  it("jobs with files, whose time is their own, and such with a callback that is being tried", async () => {
    const [withFile, called] = [await job(), await job()];
    const key = await stored(`${teamId}/jobs/${withFile}/1/a.csv`);
    await database.pool.query(
      "INSERT INTO job_results (job_id, name, file_key, size, content_type) VALUES ($1, 'a.csv', $2, 1, 'text/csv')",
      [withFile, key],
    );
    await database.pool.query(
      "INSERT INTO job_callbacks (id, job_id, team_id, url, event) VALUES ('msg_a', $1, $2, 'https://example.com', 'job.succeeded')",
      [called, teamId],
    );
    expect(await clean()).toMatchObject({ jobs: 0 });
    expect(kept()).toEqual([key]);
    await database.pool.query("DELETE FROM job_results");
    await database.pool.query("UPDATE job_callbacks SET state = 'failed'");
    expect(await clean()).toMatchObject({ jobs: 2 });
    expect(kept()).toEqual([]);
  });

  it("files of jobs and teams whose ids begin alike", async () => {
    const old = await job();
    const alike = await team(`${teamId}x`);
    const others = [
      await stored(`${teamId}/jobs/${old}x/1/a.csv`),
      await stored(`${teamId}/uploads/${old}`),
      await stored(`${alike}/jobs/${old}/1/a.csv`),
    ];
    await stored(`${teamId}/jobs/${old}/1/a.csv`);
    await clean();
    expect(kept()).toEqual(others.toSorted());
  });

  it("uploads that a job which has not ended reads", async () => {
    for (const id of ["upl_read", "upl_unread", "upl_done"]) {
      await stored(`${teamId}/uploads/${id}`);
      await database.pool.query(
        `INSERT INTO uploads (id, team_id, name, content_type, state, size, created_by, expires_at)
         VALUES ($1, $2, 'a.csv', 'text/csv', 'complete', 1, 'key:key_a', $3)`,
        [id, teamId, daysAgo(1)],
      );
    }
    const reader = await job({ state: "retrying", ended: null, input: { upload_id: "upl_read" } });
    await job({ ended: 2, input: { upload_id: "upl_done" } });
    // Somebody else's job may name it, and reads nothing.
    const stranger = await team();
    await job({ state: "queued", ended: null, team: stranger, input: { upload_id: "upl_unread" } });
    const expire = () => expireUploads(database.context({ now: NOW }), { files }, LATER);
    expect(await expire()).toMatchObject({ files: 2 });
    expect(kept()).toEqual([`${teamId}/uploads/upl_read`]);
    await database.pool.query("UPDATE jobs SET state = 'failed' WHERE id = $1", [reader]);
    expect(await expire()).toMatchObject({ files: 1 });
    expect(kept()).toEqual([]);
  });
});

describe("a death", () => {
  it("between the files and the rows leaves the rows, and the next run finishes", async () => {
    const old = await job();
    await stored(`${teamId}/jobs/${old}/pieces/000001.json`);
    const dying = {
      ...files,
      delete: async (keys: readonly string[]) => {
        await files.delete(keys);
        throw new Error("The process is dead");
      },
    };
    await expect(clean(dying)).rejects.toThrow("dead");
    expect(kept()).toEqual([]);
    expect(await left()).toEqual([old]);
    expect(await clean()).toEqual({ jobs: 1, more: false });
    expect(await left()).toEqual([]);
  });
});

describe("a retry of an old job at the same moment", () => {
  const asTeam = () =>
    database.context({
      principal: { kind: "key", teamId, keyId: "key_a", scopes: ["jobs"], models: ["*"] },
    });
  const desk = { dispatch: () => Promise.resolve(), queueAgeLimitSeconds: 300 };

  it("that was first keeps the job and its files", async () => {
    const old = await job({ state: "failed" });
    const key = await stored(`${teamId}/jobs/${old}/pieces/000001.json`);
    const client = await database.pool.connect();
    await client.query("BEGIN");
    await client.query("SELECT 1 FROM jobs WHERE id = $1 FOR UPDATE", [old]);
    // It does not wait for whoever holds the row.
    expect(await clean()).toMatchObject({ jobs: 0 });
    await client.query("COMMIT");
    client.release();
    await retryJob(asTeam(), desk, { jobId: old });
    expect(await clean()).toMatchObject({ jobs: 0 });
    expect(kept()).toEqual([key]);
    expect(await left()).toEqual([old]);
  });

  it("that comes while its files go waits, and finds no job", async () => {
    const old = await job({ state: "failed" });
    await stored(`${teamId}/jobs/${old}/pieces/000001.json`);
    let retrying: Promise<unknown> = Promise.resolve();
    const slow = {
      ...files,
      delete: async (keys: readonly string[]) => {
        retrying = retryJob(asTeam(), desk, { jobId: old }).catch((error: unknown) => error);
        await database.someoneWaits();
        await files.delete(keys);
      },
    };
    expect(await clean(slow)).toEqual({ jobs: 1, more: false });
    expect(await retrying).toMatchObject({ code: "not_found" });
    expect(await left()).toEqual([]);
  });

  it("leaves one of two that clean up at once nothing to do", async () => {
    for (let index = 0; index < 60; index++)
      await stored(`${teamId}/jobs/${await job()}/pieces/000001.json`);
    const runs = await Promise.all([clean(), clean(), clean()]);
    expect(runs.reduce((sum, { jobs }) => sum + jobs, 0)).toBe(60);
    await eventually(() => expect(kept()).toEqual([]));
  });
});

describe("a team that was deleted", () => {
  const erase = (now = NOW, store = files) =>
    eraseTeamFiles(database.context({ now }), {
      files: store,
      deadline: new Date(now.getTime() + 60_000),
    });
  const remove = (id: string) =>
    deleteTeam(database.context({ principal: { kind: "super_admin", teamId: null } }), {
      teamId: id,
    });
  const waiting = async () =>
    (await database.pool.query("SELECT team_id FROM deleted_teams ORDER BY 1")).rows.map(
      (row) => row.team_id,
    );

  it("takes its files along, and no other team's, and those that come late a day after", async () => {
    const alike = await team(`${teamId}x`);
    const others = [
      await stored(`${alike}/uploads/upl_a`),
      await stored(`x${teamId}/uploads/upl_a`),
    ];
    for (const name of ["uploads/upl_a", "jobs/job_a/1/a.csv", "anything"])
      await stored(`${teamId}/${name}`);
    await remove(teamId);
    expect(await erase(new Date())).toEqual({ teams: 0, more: false });
    expect(kept()).toEqual(others.toSorted());
    await stored(`${teamId}/jobs/job_a/2/late.csv`);
    expect(await waiting()).toEqual([teamId]);
    expect(await erase(new Date(Date.now() + 25 * 3_600_000))).toEqual({ teams: 1, more: false });
    expect(kept()).toEqual(others.toSorted());
    expect(await waiting()).toEqual([]);
  });

  it("of which there is much is gone through bit by bit, over as many runs and deaths as it takes", async () => {
    for (let index = 0; index < 10; index++) await stored(`${teamId}/jobs/job_a/${index}`);
    await remove(teamId);
    let calls = 0;
    const small = {
      ...files,
      // Two at a time, as a store gives pages, and the second call of each run is the last.
      list: async (prefix: string) => {
        const { keys } = await files.list(prefix);
        return { keys: keys.slice(0, 2), cursor: keys.length > 2 ? "more" : null };
      },
      delete: async (keys: readonly string[]) => {
        await files.delete(keys);
        if (++calls % 2 === 0) throw new Error("The process is dead");
      },
    };
    for (let run = 0; run < 2; run++) await expect(erase(NOW, small)).rejects.toThrow("dead");
    expect(kept()).toHaveLength(2);
    await erase();
    expect(kept()).toEqual([]);
  });

  it("and is there again has its files", async () => {
    const key = await stored(`${teamId}/uploads/upl_a`);
    await remove(teamId);
    await team(teamId);
    await erase(new Date(Date.now() + 25 * 3_600_000));
    expect(kept()).toEqual([key]);
  });
});
