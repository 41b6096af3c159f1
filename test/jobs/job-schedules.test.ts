import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import type { ApiClient } from "#test/harness/api-client.ts";
import { eventually } from "#test/harness/eventually.ts";
import { type Stack, startStack } from "#test/harness/stack.ts";

let stack: Stack;
let teamId: string;
let keyId: string;
let client: ApiClient;

beforeAll(async () => {
  stack = await startStack({ postgres: inject("postgres") });
});
afterAll(() => stack?.stop());
beforeEach(async () => {
  ({ teamId, keyId, client } = await stack.createTeam({ scopes: ["jobs"] }));
});

interface Schedule {
  id: string;
  paused: boolean;
  stopped_reason: string | null;
  next_times: string[];
  created_by: string;
  input: unknown;
}
interface Run {
  scheduled_at: string;
  trigger: string;
  outcome: string;
  reason: string | null;
  job_id: string | null;
  missed_times: number;
}

const INPUT = {
  name: "Nightly",
  cron: "*/5 * * * *",
  time_zone: "Europe/Berlin",
  type: "self_test",
  input: { count: 1 },
};
const create = (over: Record<string, unknown> = {}, maker = client) =>
  maker.expect<Schedule>(201, "POST", "/v1/jobs/schedules", { ...INPUT, ...over });
const read = (id: string) => client.expect<Schedule>(200, "GET", `/v1/jobs/schedules/${id}`);
const change = (id: string, input: object, changer = client) =>
  changer.expect<Schedule>(200, "PATCH", `/v1/jobs/schedules/${id}`, input);
const runsOf = async (id: string) =>
  (await client.expect<{ data: Run[] }>(200, "GET", `/v1/jobs/schedules/${id}/runs`)).data;
const jobsNow = async () =>
  (await client.expect<{ data: { id: string; created_by: string }[] }>(200, "GET", "/v1/jobs"))
    .data;

let minute = Date.now();
/** Has the cron Worker do what is due; each tick is another minute to it. */
const tick = () => stack.tick(new Date((minute += 60_000)));
/** Lets a schedule be due since a while, at a time that its expression has. */
const dueSince = (id: string, minutes: number) =>
  stack.sql(
    `UPDATE job_schedules SET next_at = to_timestamp(floor(extract(epoch FROM now()) / 300) * 300) - make_interval(mins => $2)
     WHERE id = $1`,
    [id, minutes],
  );

describe("a recurring job", () => {
  it("shows its next five times, by the clock of its place", async () => {
    const { next_times: times } = await create({ cron: "30 8 * * *" });
    expect(times).toHaveLength(5);
    const hours = new Intl.DateTimeFormat("en-GB", {
      timeZone: "Europe/Berlin",
      hour: "2-digit",
      minute: "2-digit",
    });
    expect(times.map((time) => hours.format(new Date(time)))).toEqual(Array(5).fill("08:30"));
  });

  it.each([
    [{ cron: "* * * *" }, "cron"],
    [{ cron: "0 0 30 2 *" }, "cron"],
    [{ time_zone: "Europe/Atlantis" }, "time_zone"],
    [{ type: "no_such_type" }, "type"],
    [{ input: { count: -1 } }, "input.count"],
    [{ input: { unknown: 1 } }, "input"],
    [{ name: "\u0000" }, "name"],
    [{ missed: "never" }, "missed"],
    [{ callback_url: "https://example.com/" }, "callback_url"],
  ])("with %j is refused by the name of the field", async (over, path) => {
    const problem = await client.expect<{ errors: { path: string }[] }>(
      422,
      "POST",
      "/v1/jobs/schedules",
      { ...INPUT, ...over },
    );
    expect(problem.errors[0]?.path).toMatch(new RegExp(`^${path}`));
  });

  it("makes one job for a time, however many ticks come at once", async () => {
    const { id } = await create();
    await dueSince(id, 0);
    await Promise.all(Array.from({ length: 5 }, () => tick()));
    const runs = await runsOf(id);
    expect(runs).toMatchObject([{ trigger: "clock", outcome: "made", missed_times: 0 }]);
    const jobs = await jobsNow();
    expect(jobs).toMatchObject([{ id: runs[0]?.job_id, created_by: `key:${keyId}` }]);
    await eventually(async () => {
      const job = await client.expect<{ state: string }>(200, "GET", `/v1/jobs/${jobs[0]?.id}`);
      expect(job.state).toBe("succeeded");
    });
    expect(Date.parse((await read(id)).next_times[0] ?? "")).toBeGreaterThan(Date.now());
    // A tick that believes itself at the time again makes nothing.
    await stack.sql("UPDATE job_schedules SET next_at = $2 WHERE id = $1", [
      id,
      runs[0]?.scheduled_at,
    ]);
    await tick();
    expect(await jobsNow()).toHaveLength(1);
  });

  it("makes up once for what it missed, or lets it go, as it says", async () => {
    const once = await create({ missed: "once" });
    const skip = await create({ missed: "skip" });
    // So long ago that even the latest time has passed: no tick has come for an hour, and the time is not near.
    for (const { id } of [once, skip]) {
      await stack.sql(
        "UPDATE job_schedules SET cron = '0 0 * * *', next_at = date_trunc('day', now() AT TIME ZONE 'Europe/Berlin') AT TIME ZONE 'Europe/Berlin' - interval '3 days' WHERE id = $1",
        [id],
      );
    }
    await tick();
    const [made] = await runsOf(once.id);
    expect(made).toMatchObject({ outcome: "made", missed_times: 3 });
    const [left] = await runsOf(skip.id);
    const late = Date.now() - Date.parse(left?.scheduled_at ?? "") > 5 * 60_000;
    expect(left).toMatchObject({ outcome: late ? "skipped" : "made", missed_times: 3 });
    await tick();
    expect([(await runsOf(once.id)).length, (await runsOf(skip.id)).length]).toEqual([1, 1]);
  });

  it("leaves a time out, runs beside, or takes the place of the job before, as it says", async () => {
    // A job that waits for an approval has not ended.
    const waiting = { input: { count: 0, approval: true } };
    const [skip, allow, replace] = [
      await create({ ...waiting, overlap: "skip" }),
      await create({ ...waiting, overlap: "allow" }),
      await create({ ...waiting, overlap: "replace" }),
    ];
    const round = async () => {
      for (const { id } of [skip, allow, replace]) await dueSince(id, 0);
      await tick();
    };
    await round();
    // What was made so far was made a day ago, so that the next round stands for another time.
    await stack.sql(
      `UPDATE job_schedule_runs SET scheduled_at = scheduled_at - interval '1 day'
       WHERE schedule_id IN (SELECT id FROM job_schedules WHERE team_id = $1)`,
      [teamId],
    );
    await stack.sql("UPDATE jobs SET idempotency_key = id WHERE team_id = $1", [teamId]);
    await round();
    expect((await runsOf(skip.id)).map(({ outcome }) => outcome).sort()).toEqual([
      "made",
      "skipped",
    ]);
    expect((await runsOf(allow.id)).map(({ outcome }) => outcome)).toEqual(["made", "made"]);
    const replaced = (await runsOf(replace.id)).map(({ job_id: id }) => id);
    await eventually(async () => {
      const states = await Promise.all(
        replaced.map(
          async (id) =>
            (await client.expect<{ state: string }>(200, "GET", `/v1/jobs/${id}`)).state,
        ),
      );
      expect(states.filter((state) => state === "cancelled")).toHaveLength(1);
    });
  });

  it("waits while it is paused, and goes on from then when it is resumed", async () => {
    const { id } = await create();
    expect(await change(id, { paused: true })).toMatchObject({ paused: true, next_times: [] });
    await tick();
    expect(await runsOf(id)).toEqual([]);
    const resumed = await change(id, { paused: false });
    expect(resumed.paused).toBe(false);
    expect(Date.parse(resumed.next_times[0] ?? "")).toBeGreaterThan(Date.now());
  });

  it("runs now by hand, as its caller, and keeps its next time", async () => {
    const { id, next_times: times } = await create({ paused: true });
    expect(times).toEqual([]);
    const key = { "idempotency-key": crypto.randomUUID() };
    const path = `/v1/jobs/schedules/${id}/run`;
    const job = await client.expect<{ id: string }>(202, "POST", path, undefined, key);
    expect(await client.expect(202, "POST", path, undefined, key)).toMatchObject({ id: job.id });
    expect(await runsOf(id)).toMatchObject([
      { trigger: "manual", outcome: "made", job_id: job.id },
    ]);
    expect(await jobsNow()).toHaveLength(1);
  });
});

describe("whose rights a recurring job has", () => {
  it("are its maker's, and it stops with a reason when their key is revoked", async () => {
    const { id } = await create();
    await stack.admin.expect(204, "POST", `/v1/keys/${keyId}/revoke`);
    const other = await stack.admin.expect<{ key: string; id: string }>(201, "POST", "/v1/keys", {
      name: "other",
      team_id: teamId,
      scopes: ["jobs"],
    });
    client = stack.client(other.key);
    await dueSince(id, 0);
    await tick();
    expect(await runsOf(id)).toEqual([]);
    const stopped = await read(id);
    expect(stopped).toMatchObject({
      stopped_reason: expect.stringContaining("revoked"),
      next_times: [],
    });
    const [entry] = await stack.sql(
      "SELECT * FROM audit_entries WHERE action = 'job_schedule.stop'",
    );
    expect(entry).toMatchObject({ target_id: id, team_id: teamId, actor_kind: "system" });
    // Whoever starts it again is the one for whom it acts from then on.
    const again = await change(id, { paused: false });
    expect(again).toMatchObject({ stopped_reason: null, created_by: `key:${other.id}` });
    await dueSince(id, 0);
    await tick();
    expect(await jobsNow()).toMatchObject([{ created_by: `key:${other.id}` }]);
  });

  it("are those of whoever changed its input last", async () => {
    const { id } = await create();
    const other = await stack.admin.expect<{ key: string; id: string }>(201, "POST", "/v1/keys", {
      name: "other",
      team_id: teamId,
      scopes: ["jobs"],
    });
    const paused = await change(id, { paused: true }, stack.client(other.key));
    expect(paused.created_by).toBe(`key:${keyId}`);
    const changed = await change(id, { input: { count: 2 } }, stack.client(other.key));
    expect(changed).toMatchObject({
      created_by: `key:${other.id}`,
      input: { count: 2 },
      paused: true,
    });
  });

  it("make nothing while the team or all changes are switched off", async () => {
    const { id } = await create();
    await dueSince(id, 0);
    await stack.admin.expect(200, "PUT", "/v1/admin/switches", { teams: { [teamId]: "off" } });
    await tick();
    await stack.admin.expect(200, "PUT", "/v1/admin/switches", { teams: { [teamId]: "on" } });
    await eventually(async () => expect(await runsOf(id)).toEqual([]));
    await tick();
    expect(await runsOf(id)).toMatchObject([{ outcome: "made" }]);
  });
});

describe("lists of recurring jobs", () => {
  it("are the team's own, in pages, and bear hostile cursors", async () => {
    const ids = [];
    for (let index = 0; index < 3; index++) ids.unshift((await create({ name: `${index}` })).id);
    interface Page {
      data: Schedule[];
      next_cursor: string | null;
    }
    const path = "/v1/jobs/schedules?limit=2";
    const first = await client.expect<Page>(200, "GET", path);
    const second = await client.expect<Page>(200, "GET", `${path}&cursor=${first.next_cursor}`);
    expect([...first.data, ...second.data].map(({ id }) => id)).toEqual(ids);
    expect(second.next_cursor).toBeNull();
    for (const cursor of ["x", "W10", btoa('["a","b"]'), btoa('["\\u0000"]'), btoa("[{}]")]) {
      for (const list of ["/v1/jobs/schedules", `/v1/jobs/schedules/${ids[0]}/runs`, "/v1/jobs"]) {
        const { status } = await client.request(
          "GET",
          `${list}?cursor=${encodeURIComponent(cursor)}`,
        );
        expect([list, cursor, status]).toEqual([list, cursor, 400]);
      }
    }
    for (const number of ["[1e999]", "[1e300]", "[-1e300]", "[8640000000000001]"]) {
      const runs = `/v1/jobs/schedules/${ids[0]}/runs?cursor=${encodeURIComponent(btoa(number))}`;
      await client.expect(400, "GET", runs);
    }
  });
});
