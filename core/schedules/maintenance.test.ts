import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { createScheduleClock } from "#platform/schedule-clock.ts";
import { addCampaign, factColumns } from "#test/campaigns/facts.ts";
import { memoryFiles } from "#test/jobs/memory-files.ts";
import { openTestDatabase, scheduleContext, type TestDatabase } from "#test/usage/database.ts";
import { storeFacts } from "../campaigns/store-facts.ts";
import { cleanupOldReports } from "./cleanup-old-reports.ts";
import { expireFiles } from "./expire-files.ts";
import { expireSessions } from "./expire-sessions.ts";
import { refreshBenchmarks } from "./refresh-benchmarks.ts";
import type { Schedule, ScheduleContext } from "./schedule.ts";
import { SCHEDULES } from "./schedules.ts";

let database: TestDatabase;
const files = memoryFiles();
beforeAll(async () => (database = await openTestDatabase(inject("postgres"))));
afterAll(() => database.drop());
beforeEach(async () => {
  files.contents.clear();
  await database.pool.query("DELETE FROM teams");
  await database.pool.query("INSERT INTO teams (id, name) VALUES ('team_a', 'A')");
});

const NOW = new Date("2026-11-21T02:00:00.000Z");
const ago = (days: number) => new Date(NOW.getTime() - days * 86_400_000);
const run = (schedule: Schedule, over: Partial<ScheduleContext> = {}) =>
  schedule.run(scheduleContext(database.context({ now: NOW }), { files, ...over }));
/** No time is left for any piece of work. */
const late = { deadline: ago(1) };

describe("times", () => {
  it.each([
    ["cleanup_old_reports", "2026-11-20T23:30:00.000Z", "2026-11-21T01:00:00.000Z"],
    ["refresh_benchmarks", "2026-11-20T22:30:00.000Z", "2026-11-20T23:00:00.000Z"],
    ["health_check", "2026-11-20T23:31:00.000Z", "2026-11-20T23:35:00.000Z"],
    ["sweep_jobs", "2026-11-20T23:31:10.000Z", "2026-11-20T23:32:00.000Z"],
    ["expire_files", "2026-11-20T23:31:00.000Z", "2026-11-21T00:23:00.000Z"],
    // Clocks were set back in the night of 25 October: 02:00 is an hour later by UTC than the day before.
    ["cleanup_old_reports", "2026-10-24T12:00:00.000Z", "2026-10-25T00:00:00.000Z"],
    ["cleanup_old_reports", "2026-10-25T12:00:00.000Z", "2026-10-26T01:00:00.000Z"],
  ])("%s after %s comes at %s in Berlin", (name, after, next) => {
    const schedule = SCHEDULES.find((known) => known.name === name);
    if (!schedule) throw new Error(`There is no ${name}.`);
    const clock = createScheduleClock("Europe/Berlin");
    expect(clock.next(schedule.cadence, new Date(after)).toISOString()).toBe(next);
  });
});

describe("cleanup_old_reports", () => {
  const report = async (name: string, days: number) => {
    const key = `team_a/jobs/job_1/1/${name}`;
    await files.put(key, name, { contentType: "application/pdf" });
    await database.pool.query(
      `INSERT INTO jobs (id, team_id, type, input, created_by, scopes, models, request_hash, state, waiting_for)
       VALUES ('job_1', 'team_a', 'generate_pdf_report', '{}', 'key:key_a', '{}', '{}', 'x', 'succeeded', NULL)
       ON CONFLICT DO NOTHING`,
    );
    await database.pool.query(
      "INSERT INTO job_results (job_id, name, file_key, size, content_type, created_at) VALUES ('job_1', $1, $2, 1, 'application/pdf', $3)",
      [name, key, ago(days)],
    );
  };
  const left = async () =>
    (await database.pool.query("SELECT name FROM job_results ORDER BY name")).rows.map(
      ({ name }) => name,
    );

  it("removes files that are older than RESULT_DAYS, and their rows, and no others", async () => {
    await report("new.pdf", 1);
    await report("old.pdf", 91);
    await report("almost.pdf", 89);
    expect(await run(cleanupOldReports)).toMatchObject({ files_deleted: 1, more: false });
    expect(await left()).toEqual(["almost.pdf", "new.pdf"]);
    expect([...files.contents.keys()].some((key) => key.includes("old.pdf"))).toBe(false);
    expect(files.contents.size).toBe(2);
  });

  it("does nothing the second time", async () => {
    await report("old.pdf", 91);
    await run(cleanupOldReports);
    expect(await run(cleanupOldReports)).toMatchObject({ files_deleted: 0, more: false });
  });

  it("keeps the row where the file could not be removed, and finishes the next time", async () => {
    await report("old.pdf", 91);
    const broken = { ...files, delete: () => Promise.reject(new Error("R2 is down")) };
    await expect(run(cleanupOldReports, { files: broken })).rejects.toThrow("R2 is down");
    expect(await left()).toEqual(["old.pdf"]);
    expect(await run(cleanupOldReports)).toMatchObject({ files_deleted: 1 });
  });

  it("ends in time, however much there is, and says that there is more", async () => {
    await report("old.pdf", 91);
    expect(await run(cleanupOldReports, late)).toMatchObject({ files_deleted: 0, more: true });
    expect(await left()).toEqual(["old.pdf"]);
  });
});

describe("expire_files", () => {
  it("removes uploads whose time is over with their files, once", async () => {
    for (const [id, days] of [
      ["upl_old", 1],
      ["upl_new", -1],
    ] as const) {
      const key = `team_a/uploads/${id}`;
      await files.put(key, id, { contentType: "text/csv" });
      await database.pool.query(
        `INSERT INTO uploads (id, team_id, name, content_type, state, size, created_by, expires_at)
         VALUES ($1, 'team_a', 'a.csv', 'text/csv', 'complete', 1, 'key:key_a', $2)`,
        [id, ago(days)],
      );
    }
    expect(await run(expireFiles)).toMatchObject({ files_deleted: 1, more: false });
    expect([...files.contents.keys()]).toEqual(["team_a/uploads/upl_new"]);
    expect(await run(expireFiles)).toMatchObject({ files_deleted: 0 });
    expect(await run(expireFiles, late)).toMatchObject({ more: true });
  });
});

describe("expire_sessions", () => {
  it("removes rows of sessions that must have erased themselves, once", async () => {
    for (const [id, days] of [
      ["sess_old", 33],
      ["sess_grace", 31],
      ["sess_new", 1],
    ] as const)
      await database.pool.query(
        "INSERT INTO sessions (id, team_id, model, last_active_at) VALUES ($1, 'team_a', 'm', $2)",
        [id, ago(days)],
      );
    expect(await run(expireSessions)).toEqual({ sessions_deleted: 1, more: false });
    const { rows } = await database.pool.query("SELECT id FROM sessions ORDER BY id");
    expect(rows.map(({ id }) => id)).toEqual(["sess_grace", "sess_new"]);
    expect(await run(expireSessions)).toEqual({ sessions_deleted: 0, more: false });
    expect(await run(expireSessions, late)).toEqual({ sessions_deleted: 0, more: true });
  });
});

describe("refresh_benchmarks", () => {
  it("computes each team's benchmarks, and the same again", async () => {
    const { number } = await addCampaign(database.pool, "team_a");
    const fact = { campaign: number, day: "2026-11-01", impressions: 1_000, clicks: 50, spend: 20 };
    await storeFacts(database.context().db, "team_a", 1, factColumns([fact]));
    await database.pool.query("INSERT INTO campaign_dirty_days VALUES ($1, $2)", [
      number,
      fact.day,
    ]);
    const benchmarks = async () =>
      (
        await database.pool.query(
          "SELECT platform, metric, value FROM campaign_benchmarks ORDER BY platform, metric",
        )
      ).rows;
    expect(await run(refreshBenchmarks)).toMatchObject({ teams: 1, days_summed: 1, more: false });
    const first = await benchmarks();
    expect(first).toContainEqual({ platform: "google_ads", metric: "ctr", value: 0.05 });
    expect(await run(refreshBenchmarks)).toMatchObject({ teams: 1, days_summed: 0, more: false });
    expect(await benchmarks()).toEqual(first);
    expect(await run(refreshBenchmarks, late)).toMatchObject({ teams: 0, more: true });
  });
});
