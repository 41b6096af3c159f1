import { drizzle } from "drizzle-orm/node-postgres";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { storeFacts } from "#core/campaigns/store-facts.ts";
import { newId } from "#core/kernel/ids.ts";
import * as schema from "#schema";
import { addCampaign, factColumns, type TestFact } from "#test/campaigns/facts.ts";
import { type Stack, startStack } from "#test/harness/stack.ts";
import { expectInvalid, expectProblem } from "./problem.ts";

interface Listed {
  data: { id: string; name: string; platform: string; last_day: string | null }[];
  next_cursor: string | null;
}
interface Metrics {
  period: { from: string; to: string };
  totals: Record<string, unknown>[];
  data: Record<string, unknown>[];
}

let stack: Stack;
let pool: pg.Pool;
let team: Awaited<ReturnType<Stack["createTeam"]>>;

beforeAll(async () => {
  stack = await startStack({ postgres: inject("postgres"), workers: ["api"] });
  pool = new pg.Pool({ connectionString: stack.databaseUrl });
  pool.on("error", () => undefined); // the database goes first
  team = await stack.createTeam();
  const search = await addCampaign(pool, team.teamId, { name: "Search Brand", channel: "search" });
  const social = await addCampaign(pool, team.teamId, {
    name: "خرید تابستان",
    platform: "meta",
    currency: "EUR",
  });
  await store([
    { campaign: search.number, day: "2026-10-01", impressions: 1000, clicks: 50, spend: 20 },
    { campaign: search.number, day: "2026-10-02", impressions: 1000, clicks: 30, spend: 10.5 },
    { campaign: social.number, day: "2026-10-02", impressions: 500, clicks: 5, spend: 4 },
  ]);
});
afterAll(async () => {
  await pool?.end();
  await stack?.stop();
});

const store = (facts: TestFact[]) =>
  storeFacts(drizzle(pool, { schema }), team.teamId, 1, factColumns(facts));
const list = (query = "") => team.client.expect<Listed>(200, "GET", `/v1/campaigns${query}`);
const idOf = async (search: string) =>
  (await list(`?search=${encodeURIComponent(search)}`)).data[0]?.id ?? "";

describe("GET /v1/campaigns", () => {
  test("lists, searches and pages", async () => {
    expect((await list()).data.map(({ name }) => name)).toEqual(["Search Brand", "خرید تابستان"]);
    expect((await list("?search=bRaNd")).data).toMatchObject([{ name: "Search Brand" }]);
    expect(
      (await list(`?search=${encodeURIComponent("تابستان")}&platform=meta`)).data,
    ).toHaveLength(1);
    expect((await list("?platform=meta,tiktok")).data).toMatchObject([{ platform: "meta" }]);
    const first = await list("?limit=1");
    const second = await list(`?limit=1&cursor=${first.next_cursor}`);
    expect([first, second].map(({ data }) => data.length)).toEqual([1, 1]);
    expect(second.next_cursor).toBeNull();
  });

  test("shows one", async () => {
    const id = await idOf("brand");
    expect(await team.client.expect(200, "GET", `/v1/campaigns/${id}`)).toMatchObject({
      id,
      team_id: team.teamId,
      platform: "google_ads",
      channel: "search",
      currency: "USD",
    });
    await expectProblem(await team.client.request("GET", "/v1/campaigns/cmp_x"), 404, "not_found");
  });
});

describe("metrics", () => {
  test("sums a team's campaigns by platform, apart by currency", async () => {
    const path = "/v1/campaigns/metrics?group_by=platform&from=2026-10-01&to=2026-10-31";
    const answer = await team.client.expect<Metrics>(200, "GET", path);
    expect(answer.data).toMatchObject([
      { platform: "google_ads", currency: "USD", clicks: 80, spend: "30.50", ctr: 0.04, roas: 0 },
      { platform: "meta", currency: "EUR", spend: "4.00", cpc: "0.80" },
    ]);
    expect(answer.totals).toHaveLength(2);
  });

  test("sums one campaign by day and compares with the period before", async () => {
    const path = `/v1/campaigns/${await idOf("brand")}/metrics?from=2026-10-02&to=2026-10-02&compare=previous`;
    const answer = await team.client.expect<Metrics>(200, "GET", path);
    expect(answer.data).toMatchObject([
      { day: "2026-10-02", clicks: 30, previous: { clicks: 50 }, change: { clicks: -0.4 } },
    ]);
  });

  test("says which parameter is wrong", async () => {
    const ask = (query: string) => team.client.request("GET", `/v1/campaigns/metrics?${query}`);
    await expectInvalid(await ask("group_by=day,hour"), "group_by.1");
    await expectInvalid(await ask("group_by=day,day"), "group_by");
    await expectInvalid(await ask("from=2026-13-01"), "from");
    await expectInvalid(await ask("from=2026-11-02&to=2026-11-01"), "from");
    await expectInvalid(await ask("search=%00"), "search");
    await expectProblem(await ask("cursor=nonsense"), 400, "invalid_request");
  });

  test("asks a super admin for which team", async () => {
    const path = "/v1/campaigns/metrics?from=2026-10-01&to=2026-10-31";
    await expectProblem(await stack.admin.request("GET", path), 400, "invalid_request");
    const headers = { "x-team-id": team.teamId };
    const response = await stack.admin.request("GET", path, undefined, headers);
    expect(response.status).toBe(200);
  });
});

describe("GET /v1/campaigns/benchmarks", () => {
  test("lists published figures with their sources, which metrics can be compared with", async () => {
    const path = "/v1/campaigns/benchmarks?platform=google_ads&metric=ctr";
    const { data } = await team.client.expect<Metrics>(200, "GET", path);
    expect(data.map(({ value }) => value)).toEqual([0.0664, 0.0611, 0.0313]);
    expect(data[1]).toMatchObject({ period: { from: "2022-04-01", to: "2023-03-31" } });
    const compared = await team.client.expect<Metrics>(
      200,
      "GET",
      "/v1/campaigns/metrics?group_by=campaign&compare=previous,benchmark&from=2026-10-01&to=2026-10-31",
    );
    expect(compared.data[0]).toMatchObject({
      platform: "google_ads",
      channel: "search",
      previous: { clicks: null },
      benchmarks: expect.arrayContaining([
        expect.objectContaining({ benchmark: "worldmetrics_search_2023", metric: "ctr" }),
      ]),
    });
  });
});

describe("what moved", () => {
  test("takes the change of a ratio apart, in parts that add up to it and in sentences", async () => {
    const path = "/v1/campaigns/changes?metric=cpc&currency=USD&from=2026-10-02&to=2026-10-02";
    expect(await team.client.expect(200, "GET", path)).toMatchObject({
      previous_period: { from: "2026-10-01", to: "2026-10-01" },
      changes: [
        {
          before: "0.400000",
          after: "0.350000",
          change: "-0.050000",
          members: [{ name: "Search Brand", part: "-0.050000", presence: "both" }],
          sentences: { en: [expect.stringContaining("CPC fell by 12.5%"), expect.any(String)] },
        },
      ],
    });
    await expectInvalid(
      await team.client.request("GET", "/v1/campaigns/changes?metric=profit"),
      "metric",
    );
  });

  test("finds no anomaly in two days, and searches no more than a hundred", async () => {
    const path = "/v1/campaigns/anomalies";
    expect(await team.client.expect(200, "GET", path)).toMatchObject({
      anomalies: [],
      more: false,
    });
    const long = await team.client.request("GET", `${path}?from=2025-01-01&to=2026-10-01`);
    await expectInvalid(long, "from");
    const nobodys = await team.client.request("GET", `${path}?campaign_id=cmp_nobodys`);
    await expectProblem(nobodys, 404, "not_found");
  });
});

describe("DELETE /v1/campaigns/{id}", () => {
  test("erases the campaign with its facts, and writes it into the audit log", async () => {
    const { id, number } = await addCampaign(pool, team.teamId, { name: "To go" });
    await store([{ campaign: number, day: "2026-10-01", clicks: 1 }]);
    await team.client.expect(204, "DELETE", `/v1/campaigns/${id}`);
    await expectProblem(await team.client.request("GET", `/v1/campaigns/${id}`), 404, "not_found");
    expect(await stack.sql("SELECT 1 FROM campaign_facts WHERE campaign = $1", [number])).toEqual(
      [],
    );
    expect(await stack.sql("SELECT action FROM audit_entries WHERE target_id = $1", [id])).toEqual([
      { action: "campaign.delete" },
    ]);
    const again = await team.client.request("DELETE", `/v1/campaigns/${newId("campaign")}`);
    await expectProblem(again, 404, "not_found");
  });

  test("is not for keys without the scope admin", async () => {
    const reader = await stack.createTeam({ scopes: ["skills"] });
    const response = await reader.client.request("DELETE", `/v1/campaigns/${newId("campaign")}`);
    await expectProblem(response, 403, "missing_scope");
  });
});
