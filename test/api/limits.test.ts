import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { type Stack, startStack } from "#test/harness/stack.ts";
import { expectInvalid, expectProblem } from "./problem.ts";

interface Limit {
  id: string;
  unit: string;
  window: string | null;
  max: number | string;
  soft: boolean;
}
interface Owner {
  id: string;
  key: string;
  limits: Limit[];
}

let stack: Stack;
let team: Awaited<ReturnType<Stack["createTeam"]>>;

beforeAll(async () => {
  stack = await startStack({ postgres: inject("postgres"), workers: ["api"] });
  team = await stack.createTeam();
});
afterAll(() => stack?.stop());

const minute = { unit: "requests", window: "minute", max: 100 };
const month = { unit: "usd", window: "month", max: "25.00" };
const put = async (path: string, limits: object[], client = stack.admin) =>
  (await client.expect<{ data: Limit[] }>(200, "PUT", path, { limits })).data;
const newKey = (body: object, client = team.client) =>
  client.expect<Owner>(201, "POST", "/v1/keys", { name: "k", ...body });
const epoch = async () =>
  (await stack.sql<{ epoch: string }>("SELECT epoch FROM teams WHERE id = $1", [team.teamId]))[0]
    ?.epoch;

describe("limits of a team", () => {
  test("are set as a whole by a super admin, in the order in which they come, and raise the epoch", async () => {
    const path = `/v1/teams/${team.teamId}/limits`;
    const before = await epoch();
    const set = await put(path, [month, minute, { unit: "concurrency", max: 5, model: "m" }]);
    expect(set).toMatchObject([
      { ...month, id: expect.stringMatching(/^lim_/), on_error: "closed", soft: false },
      { ...minute, model: null, end_user: null, on_error: "open", raise: null },
      { unit: "concurrency", window: null, max: 5, model: "m" },
    ]);
    expect(Number(await epoch())).toBe(Number(before) + 1);
    expect(await team.client.expect(200, "GET", path)).toEqual({ data: set, next_cursor: null });
    expect(await team.client.expect(200, "GET", `/v1/teams/${team.teamId}`)).toMatchObject({
      limits: set,
    });
    expect(await team.client.expect(200, "GET", "/v1/teams")).toMatchObject({
      data: [{ limits: set }],
    });
  });

  test("keep their ids, and by them what was used, where only the maximum or the softness changes", async () => {
    const path = `/v1/teams/${team.teamId}/limits`;
    await put(path, []);
    const [first, second] = await put(path, [minute, month]);
    const changed = await put(path, [
      { ...month, max: "30.5" },
      { ...minute, max: 7, soft: true },
      { ...minute, window: "hour" },
    ]);
    expect(changed.map(({ id, max }) => [id, max])).toEqual([
      [first?.id, 7],
      [second?.id, "30.50"],
      [expect.not.stringMatching(first?.id ?? ""), 100],
    ]);
    expect(await put(path, changed)).toMatchObject(changed.map(({ id }) => ({ id })));
    expect(await put(path, [])).toEqual([]);
  });

  test("are not for the team's own admins to set", async () => {
    const path = `/v1/teams/${team.teamId}/limits`;
    await expectProblem(await team.client.request("PUT", path, { limits: [] }), 403, "forbidden");
  });

  test("come with POST /v1/teams", async () => {
    const made = await stack.admin.expect<Owner>(201, "POST", "/v1/teams", {
      name: "limited",
      limits: [minute, month],
    });
    expect(made.limits).toMatchObject([minute, month]);
    const bad = { name: "t", limits: [minute, { ...month, max: 25 }] };
    await expectInvalid(await stack.admin.request("POST", "/v1/teams", bad), "limits.1.max");
  });

  test("set ten times at the same moment end as one of the lists", async () => {
    const path = `/v1/teams/${team.teamId}/limits`;
    const lists = Array.from({ length: 10 }, (_, n) => [
      { ...minute, max: n },
      { ...month, max: `${n}.00` },
    ]);
    await Promise.all(lists.map((limits) => put(path, limits)));
    const { data } = await team.client.expect<{ data: Limit[] }>(200, "GET", path);
    expect(data).toHaveLength(2);
    expect(`${data.find((limit) => limit.unit === "requests")?.max}.00`).toBe(
      data.find((limit) => limit.unit === "usd")?.max,
    );
  });

  test("of a team that is not there: 404", async () => {
    const path = "/v1/teams/team_00000000000000000000000000/limits";
    await expectProblem(await stack.admin.request("PUT", path, { limits: [] }), 404, "not_found");
    await expectProblem(await stack.admin.request("GET", path), 404, "not_found");
  });
});

describe("limits of a key", () => {
  test("come with POST /v1/keys, are shown with it, changed by PUT, and go with it", async () => {
    const key = await newKey({ limits: [minute, month] });
    expect(key.limits).toMatchObject([minute, month]);
    const path = `/v1/keys/${key.id}`;
    expect(await team.client.expect(200, "GET", path)).toMatchObject({ limits: key.limits });
    expect(await team.client.expect(200, "PATCH", path, { name: "renamed" })).toMatchObject({
      limits: key.limits,
    });
    expect(await put(`${path}/limits`, [{ ...month, max: "1.00" }], team.client)).toMatchObject([
      { id: key.limits[1]?.id, max: "1.00" },
    ]);
    await team.client.expect(204, "DELETE", path);
    expect(await stack.sql("SELECT 1 FROM limits WHERE key_id = $1", [key.id])).toEqual([]);
  });

  test("cannot be loosened by the key itself, nor by a key that it makes or rotates", async () => {
    const limited = await newKey({ scopes: ["admin"], limits: [minute] });
    const free = await newKey({});
    const client = stack.client(limited.key);
    const own = `/v1/keys/${limited.id}/limits`;
    for (const [method, path, body] of [
      ["PUT", own, { limits: [] }],
      ["PUT", own, { limits: [{ ...minute, max: 101 }] }],
      ["PUT", own, { limits: [{ ...minute, soft: true }] }],
      ["PUT", own, { limits: [{ ...minute, model: "m" }] }],
      ["PUT", own, { limits: [{ ...minute, end_user: "*" }] }],
      [
        "PUT",
        own,
        {
          limits: [
            { ...minute, raise: { max: 200, until: new Date(Date.now() + 60_000).toISOString() } },
          ],
        },
      ],
      ["PUT", `/v1/keys/${free.id}/limits`, { limits: [] }],
      ["POST", "/v1/keys", { name: "spy", limits: [] }],
      ["POST", `/v1/keys/${free.id}/rotate`, {}],
    ] as const)
      await expectProblem(await client.request(method, path, body), 403, "forbidden");
    expect(await put(own, [{ ...minute, max: 99 }, month], client)).toHaveLength(2);
    expect((await newKey({}, client)).limits).toMatchObject([{ max: 99 }, month]);
    expect(await team.client.expect(200, "GET", `/v1/keys/${free.id}`)).toMatchObject({
      limits: [],
    });
  });

  test("need the scope admin, and are another team's secret", async () => {
    const chat = stack.client((await newKey({ scopes: ["chat"] })).key);
    const stranger = await stack.createTeam();
    const path = `/v1/keys/${team.keyId}/limits`;
    for (const method of ["GET", "PUT"]) {
      const body = method === "PUT" ? { limits: [] } : undefined;
      await expectProblem(await chat.request(method, path, body), 403, "missing_scope");
      await expectProblem(await stranger.client.request(method, path, body), 404, "not_found");
    }
  });

  test("a raise must lie above the limit and end within a year", async () => {
    const path = `/v1/keys/${team.keyId}/limits`;
    const raised = (max: number, ms: number) => ({
      limits: [{ ...minute, raise: { max, until: new Date(Date.now() + ms).toISOString() } }],
    });
    for (const [body, field] of [
      [raised(100, 60_000), "max"],
      [raised(200, -1_000), "until"],
      [raised(200, 400 * 86_400_000), "until"],
    ] as const)
      await expectInvalid(await stack.admin.request("PUT", path, body), `limits.0.raise.${field}`);
    await stack.admin.expect(200, "PUT", path, raised(200, 60_000));
    expect(await put(path, [minute])).toMatchObject([{ raise: { max: 200 } }]);
    expect(await put(path, [{ ...minute, raise: null }])).toMatchObject([{ raise: null }]);
    await put(path, []);
  });
});
