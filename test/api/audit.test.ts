import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { type Stack, startStack, SUPER_ADMIN_KEY } from "#test/harness/stack.ts";
import { take } from "./tenancy/request-of.ts";
import { furnish, type Household } from "./tenancy/things.ts";
import { type Walk, WALKS } from "./tenancy/walks.ts";

interface Entry {
  id: string;
  at: string;
  team_id: string | null;
  actor: { kind: string; id: string | null };
  action: string;
  target: { type: string; id: string };
  ip: string | null;
  user_agent: string | null;
  request_id: string;
  trace_id: string | null;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
}
interface List {
  data: Entry[];
  next_cursor: string | null;
}

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ postgres: inject("postgres") });
});
afterAll(() => stack?.stop());

const changing = Object.entries(WALKS).filter(([route]) => !route.startsWith("GET "));
const audited = changing.filter(([, walk]) => walk.audit && "action" in walk.audit);
const fingerprint = createHash("sha256").update(SUPER_ADMIN_KEY).digest("hex").slice(0, 12);
const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const HEADERS = { "user-agent": "walker/1", traceparent: `00-${TRACE}-00f067aa0ba902b7-01` };

/** Every entry of the log, the oldest first. */
const entries = () => stack.sql("SELECT * FROM audit_entries ORDER BY at, id");
const idsOf = (rows: Record<string, unknown>[]) => rows.map((row) => row["id"]);

/** All tables but those that schedules and the usage pipeline write, to see whether anything changed. */
async function everything(): Promise<string> {
  const names =
    "teams members invitations api_keys providers models telegram_links telegram_link_codes".split(
      " ",
    );
  const manual = stack.sql("SELECT count(*) FROM schedule_runs WHERE trigger = 'manual'");
  const tables = names.map((name) => stack.sql(`SELECT * FROM ${name} ORDER BY 1`));
  return JSON.stringify(await Promise.all([manual, ...tables]), null, 1);
}

const clientFor = (walk: Walk, home: Household) =>
  walk.stranger === "forbidden" ? stack.admin : home.client;

test("every changing route says what it writes into the audit log, or why nothing", () => {
  expect(changing.filter(([, walk]) => walk.audit === undefined).map(([route]) => route)).toEqual(
    [],
  );
  expect(audited.length).toBeGreaterThan(15);
});

describe("a change", () => {
  test.each(audited)(
    "%s writes one entry of who did what to which thing from where",
    async (route, walk) => {
      const home = await furnish(stack, `walk-${crypto.randomUUID().slice(0, 8)}`);
      const before = new Set(idsOf(await entries()));
      const client = clientFor(walk, home);
      const answer = await take(client, route, { walk, things: home.things, headers: HEADERS });
      expect(`${answer.status} ${answer.text}`).toMatch(new RegExp(`^${walk.status} `));
      const fresh = (await entries()).filter((row) => !before.has(row["id"]));
      if (!walk.audit || !("action" in walk.audit)) throw new Error("not audited");
      const { action, target } = walk.audit;
      const answered = answer.text === "" ? {} : (JSON.parse(answer.text) as { id?: string }); // a body of ours
      const admin = client === stack.admin;
      expect(fresh).toMatchObject([
        {
          action,
          target_type: action.split(".")[0],
          target_id: target ? home.things[target] : answered.id,
          actor_kind: admin ? "super_admin" : "key",
          actor_id: admin ? fingerprint : home.things.ownKeyId,
          request_id: /^x-request-id: (\S+)$/m.exec(answer.all)?.[1],
          trace_id: TRACE,
          user_agent: "walker/1",
        },
      ]);
      const text = JSON.stringify(fresh);
      for (const secret of home.marks.filter((mark) => /^(sy_live_|inv_|[0-9a-f]{64}$)/.test(mark)))
        expect(text).not.toContain(secret);
      expect(text).not.toMatch(/sy_live_\w{12}|sk-walk|[0-9a-f]{64}/);
      const own = await stack.admin.expect<List>(200, "GET", "/v1/audit?limit=1");
      expect(own.data[0]?.id).toBe(fresh[0]?.["id"]);
    },
  );

  test.each(audited)("%s is undone where its entry cannot be written", async (route, walk) => {
    const home = await furnish(stack, `fail-${crypto.randomUUID().slice(0, 8)}`);
    const before = await everything();
    const count = (await entries()).length;
    await stack.sql(
      "CREATE OR REPLACE FUNCTION test_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no room'; END $$",
    );
    await stack.sql(
      "CREATE TRIGGER test_refuse BEFORE INSERT ON audit_entries FOR EACH ROW EXECUTE FUNCTION test_refuse()",
    );
    try {
      const answer = await take(clientFor(walk, home), route, { walk, things: home.things });
      expect(`${answer.status} ${answer.text}`).toMatch(/^500 /);
    } finally {
      await stack.sql("DROP TRIGGER test_refuse ON audit_entries");
    }
    expect(await everything()).toBe(before);
    expect((await entries()).length).toBe(count);
  });

  test("that is refused, changes nothing or is asked for twice under one Idempotency-Key writes no second entry", async () => {
    const { client, keyId, teamId } = await stack.createTeam();
    const log = async () => (await client.expect<List>(200, "GET", "/v1/audit?limit=200")).data;
    const start = (await log()).length;
    await client.expect(422, "PATCH", `/v1/keys/${keyId}`, { scopes: [] });
    await client.expect(403, "POST", "/v1/teams", { name: "x" });
    await client.expect(404, "DELETE", `/v1/keys/key_${"0".repeat(26)}`);
    expect((await log()).length).toBe(start);
    const name = { name: "The same" };
    await client.expect(200, "PATCH", `/v1/teams/${teamId}`, name);
    await client.expect(200, "PATCH", `/v1/teams/${teamId}`, name);
    expect((await log()).length).toBe(start + 1);
    const headers = { "idempotency-key": crypto.randomUUID() };
    const made = await client.expect<{ id: string }>(
      201,
      "POST",
      "/v1/keys",
      { name: "k" },
      headers,
    );
    await client.expect(201, "POST", "/v1/keys", { name: "k" }, headers);
    expect((await log()).length).toBe(start + 2);
    await client.expect(204, "POST", `/v1/keys/${made.id}/revoke`);
    await client.expect(204, "POST", `/v1/keys/${made.id}/revoke`);
    expect((await log()).length).toBe(start + 3);
  });
});

describe("GET /v1/audit", () => {
  test("tells before and after of the fields that differ, and of a provider's key that it changed", async () => {
    const path = "/v1/admin/providers/audited";
    const provider = { base_url: "http://127.0.0.1:9/v1", api_key: "sk-first-secret" };
    await stack.admin.expect(201, "PUT", path, provider);
    await stack.admin.expect(200, "PUT", path, {
      ...provider,
      timeout_ms: 5_000,
      api_key: "sk-other",
    });
    const list = await stack.admin.request("GET", "/v1/audit?target=audited");
    const text = await list.text();
    expect(text).not.toMatch(/sk-(first|other)/);
    const [update, create] = (JSON.parse(text) as List).data;
    expect(create).toMatchObject({ action: "provider.create", before: null });
    expect(update).toMatchObject({
      action: "provider.update",
      before: { timeout_ms: 60_000, api_key_sealed: "changed" },
      after: { timeout_ms: 5_000, api_key_sealed: "changed" },
    });
    await stack.admin.expect(204, "DELETE", path);
    const deleted = await stack.admin.expect<List>(
      200,
      "GET",
      "/v1/audit?action=provider.delete&target=audited",
    );
    expect(deleted.data).toMatchObject([
      { actor: { kind: "super_admin", id: fingerprint }, after: null },
    ]);
  });

  test("tells what was switched off, why, and nothing where it was off already", async () => {
    const off = { bot: "off", reason: "Maintenance" };
    await stack.admin.expect(200, "PUT", "/v1/admin/switches", off);
    await stack.admin.expect(200, "PUT", "/v1/admin/switches", off);
    await stack.admin.expect(200, "PUT", "/v1/admin/switches", { bot: "on" });
    const { data } = await stack.admin.expect<List>(200, "GET", "/v1/audit?action=switches.set");
    expect(data).toMatchObject([
      { before: { bot: "off" }, after: { bot: "on" } },
      { before: { bot: "on" }, after: { bot: "off", reason: "Maintenance" }, team_id: null },
    ]);
  });

  test("filters by action, actor, target and time, and pages without loss or repetition", async () => {
    const { client, keyId, teamId } = await stack.createTeam();
    const made: string[] = [];
    for (let index = 0; index < 7; index++) {
      const name = { name: `k${index}` };
      made.push((await client.expect<{ id: string }>(201, "POST", "/v1/keys", name)).id);
    }
    await client.expect(200, "PATCH", `/v1/teams/${teamId}`, { name: "Other" });
    const list = (query: string) => client.expect<List>(200, "GET", `/v1/audit?${query}`);
    expect((await list(`action=key.create&actor=${keyId}`)).data.length).toBe(7);
    expect((await list("action=key.*")).data.length).toBe(8); // with the key that the admin made
    expect((await list(`target=${made[3]}`)).data.map((entry) => entry.action)).toEqual([
      "key.create",
    ]);
    const all = (await list("limit=200")).data;
    const [newest, , third] = all;
    expect(newest?.action).toBe("team.update");
    const range = `from=${third?.at}&to=${newest?.at}`;
    const within = all.filter(({ at }) => at >= (third?.at ?? "") && at < (newest?.at ?? ""));
    expect((await list(range)).data).toEqual(within);
    const seen: string[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const page: List = await list(`limit=3${cursor === "" ? "" : `&cursor=${cursor}`}`);
      seen.push(...page.data.map((entry) => entry.id));
      cursor = page.next_cursor;
    }
    expect(seen).toEqual(all.map((entry) => entry.id));
    await client.expect(400, "GET", "/v1/audit?cursor=nonsense");
    await client.expect(422, "GET", "/v1/audit?from=yesterday");
  });

  test("is for admins of the team, who do not see others' entries or where a super admin sits", async () => {
    const [one, other] = [await stack.createTeam(), await stack.createTeam()];
    const weak = await one.client.expect<{ key: string }>(201, "POST", "/v1/keys", {
      name: "w",
      scopes: ["chat"],
    });
    await stack.client(weak.key).expect(403, "GET", "/v1/audit");
    const mine = await one.client.expect<List>(200, "GET", `/v1/audit?team_id=${other.teamId}`);
    expect(new Set(mine.data.map((entry) => entry.team_id))).toEqual(new Set([one.teamId]));
    const byAdmin = mine.data.filter((entry) => entry.actor.kind === "super_admin");
    expect(byAdmin.length).toBe(2);
    for (const entry of byAdmin) expect([entry.ip, entry.user_agent]).toEqual([null, null]);
  });

  test("keeps the entries of a team that is deleted", async () => {
    const { client, teamId } = await stack.createTeam();
    await client.expect(200, "PATCH", `/v1/teams/${teamId}`, { name: "Last words" });
    await stack.admin.expect(204, "DELETE", `/v1/teams/${teamId}`);
    const list = await stack.admin.expect<List>(200, "GET", `/v1/audit?team_id=${teamId}`);
    expect(list.data.map((entry) => entry.action)).toEqual([
      "team.delete",
      "team.update",
      "key.create",
      "team.create",
    ]);
  });

  test("comes as a file of CSV or JSON lines, whole", async () => {
    const { client } = await stack.createTeam({ name: '=cmd|"x"' });
    for (let index = 0; index < 3; index++)
      await client.expect(201, "POST", "/v1/keys", { name: `k${index}` });
    const { data } = await client.expect<List>(200, "GET", "/v1/audit?limit=200");
    const lines = await client.request("GET", "/v1/audit?format=jsonl&limit=1");
    expect(lines.headers.get("content-type")).toBe("application/jsonl");
    const text = await lines.text();
    expect(
      text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as Entry),
    ).toEqual(data);
    const csv = await client.request("GET", "/v1/audit?format=csv");
    expect(csv.headers.get("content-disposition")).toContain("audit.csv");
    const rows = (await csv.text()).trimEnd().split("\r\n");
    expect(rows[0]).toMatch(/^id,at,team_id,actor_kind/);
    expect(rows.length).toBe(data.length + 1);
  });
});
