import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { eventually } from "#test/harness/eventually.ts";
import {
  type MeteredStack,
  micros,
  startMeteredStack,
  TOKEN_PRICE,
  USUAL_TOKENS,
} from "./metered-stack.ts";

/** Processes that die, freeze and lose each other with leases out: nothing is charged twice, nothing for nothing. */

let metered: MeteredStack;
beforeAll(async () => {
  metered = await startMeteredStack(inject("postgres"));
  await metered.stack.admin.expect(201, "PUT", "/v1/admin/providers/hurried", {
    kind: "openai",
    base_url: metered.provider.url,
    timeouts: { total_ms: 8_000 },
  });
  await metered.addModel("hanging", "fault/hang", {
    targets: [{ provider: "hurried", model: "fault/hang", weight: 1 }],
  });
  await metered.addModel("slow", "fault/slow-first-byte");
});
afterAll(() => metered?.stop());

/** Until what nobody reports is charged: ten seconds after its lease's end, or its request's deadline. */
const CHARGED_MS = 60_000;
const budget = { unit: "usd", window: "total", max: "5.00" };

const usedOf = async (client: Parameters<MeteredStack["limits"]>[0], unit: string) => {
  const limit = (await metered.limits(client)).find((one) => one.unit === unit);
  return { used: micros(limit?.used ?? 0), reserved: micros(limit?.reserved ?? 0) };
};

describe("an isolate that is killed with requests running", () => {
  it("is charged in full what it had leased, once, and its slots are free again", async () => {
    const { teamId, client, key } = await metered.stack.createTeam();
    await metered.limitTeam(teamId, budget, { unit: "concurrency", max: 2 });
    const second = await metered.stack.startSecondApi();
    const other = second.client(key);
    const before = metered.provider.requestsFor("fault/hang").length;
    const lost = [1, 2].map(() => metered.ask(other, { model: "hanging" }).catch(() => "cut"));
    await eventually(() =>
      expect(metered.provider.requestsFor("fault/hang")).toHaveLength(before + 2),
    );
    expect((await metered.ask(client)).status).toBe(429); // both slots are taken
    const { reserved } = await usedOf(client, "usd");
    expect(reserved).toBeGreaterThan(2 * 50 * TOKEN_PRICE);
    second.kill();
    expect(await Promise.all(lost)).toEqual(["cut", "cut"]);
    await second.stop();

    await eventually(async () => {
      expect(await usedOf(client, "usd")).toEqual({ used: reserved, reserved: 0 });
    }, CHARGED_MS);
    expect((await metered.ask(client)).status).toBe(200); // a slot is free
    await metered.settled(client);
    const own = USUAL_TOKENS * TOKEN_PRICE;
    expect(await usedOf(client, "usd")).toEqual({ used: reserved + own, reserved: 0 });
    await eventually(async () =>
      expect(await metered.recorded(teamId)).toMatchObject({ answered: 1, micros: reserved + own }),
    );
    const { corrections } = await metered.recorded(teamId);
    expect(corrections).toBeGreaterThan(0);
    const charges = await metered.stack.sql(
      "SELECT DISTINCT estimated, status, model FROM usage_records WHERE team_id = $1 AND id LIKE 'lease%'",
      [teamId],
    );
    expect(charges).toEqual([{ estimated: true, status: 200, model: "unreported" }]);
    // Of usage they are money and tokens, and no requests.
    const { data } = await client.expect<{
      data: { model: string; requests: number; cost: string }[];
    }>(200, "GET", "/v1/usage?group_by=model");
    const unreported = data.find(({ model }) => model === "unreported");
    expect(unreported).toMatchObject({ requests: 0 });
    expect(micros(unreported?.cost ?? 0)).toBe(reserved);
  });
});

describe("an isolate that only stood still for longer than its leases", () => {
  it("reports late, and is charged what it used and nothing twice", async () => {
    const { teamId, client, key } = await metered.stack.createTeam();
    await metered.limitTeam(teamId, budget, { unit: "requests", window: "day", max: 100 });
    const second = await metered.stack.startSecondApi();
    try {
      const before = metered.provider.requestsFor("fault/slow-first-byte").length;
      const answer = metered.ask(second.client(key), { model: "slow" });
      await eventually(() =>
        expect(metered.provider.requestsFor("fault/slow-first-byte")).toHaveLength(before + 1),
      );
      second.freeze();
      const charged = await eventually(async () => {
        const { used, reserved } = await usedOf(client, "usd");
        expect(used).toBeGreaterThan(50 * TOKEN_PRICE);
        expect(reserved).toBe(0);
        return used;
      }, CHARGED_MS);
      await eventually(async () =>
        expect(await metered.recorded(teamId)).toMatchObject({ requests: 0, micros: charged }),
      );
      second.thaw();
      expect((await answer).status).toBe(200);
      const own = USUAL_TOKENS * TOKEN_PRICE;
      await eventually(async () =>
        expect(await usedOf(client, "usd")).toEqual({ used: own, reserved: 0 }),
      );
      await eventually(async () =>
        expect(await metered.recorded(teamId)).toMatchObject({
          requests: 1,
          answered: 1,
          micros: own,
          tokens: USUAL_TOKENS,
        }),
      );
      expect(await usedOf(client, "requests")).toEqual({ used: 1_000_000, reserved: 0 });
    } finally {
      second.thaw();
      await second.stop();
    }
  });
});

describe("a Meter that is out of reach", () => {
  it("lets requests through where limits say open, refuses them where they say closed, and counts them later", async () => {
    const [open, closed, money] = await Promise.all([
      metered.stack.createTeam(),
      metered.stack.createTeam(),
      metered.stack.createTeam(),
    ]);
    const requests = { unit: "requests", window: "day", max: 100 };
    await metered.limitTeam(open.teamId, requests, { ...budget, on_error: "open" });
    await metered.limitTeam(closed.teamId, { ...requests, on_error: "closed" });
    await metered.limitTeam(money.teamId, requests, budget); // by default requests open, money closed
    const second = await metered.stack.startSecondApi();
    try {
      const teams = [open, closed, money];
      const clients = teams.map(({ key }) => second.client(key));
      for (const client of clients) expect((await metered.ask(client)).status).toBe(200);
      await Promise.all(teams.map(({ client }) => metered.settled(client)));
      await metered.stack.kill();
      // What the isolate still holds goes on for a second; then the settings decide.
      await eventually(async () => {
        const [, second_, third] = clients;
        for (const client of [second_, third]) {
          if (!client) continue;
          const refused = await metered.ask(client);
          expect(refused.status).toBe(503);
          expect(JSON.parse(refused.text)).toMatchObject({ error: { code: "unavailable" } });
          expect(refused.headers.get("retry-after")).toBe("1");
        }
      });
      const [first] = clients;
      if (!first) throw new Error("There is no client");
      for (let index = 0; index < 3; index++) expect((await metered.ask(first)).status).toBe(200);
      await metered.stack.restart();
      await eventually(async () => {
        for (const client of clients) expect((await metered.ask(client)).status).toBe(200);
      });
      for (const { teamId, client } of teams) {
        await metered.settled(client);
        // Answers are kept by the isolate until the Meter is back: every one is in the table, and counted.
        await eventually(async () => {
          const { answered, micros: cost } = await metered.recorded(teamId);
          const all = await metered.limits(client);
          const used = all.find(({ unit }) => unit === "requests")?.used;
          expect(used).toBe(answered);
          const usd = all.find(({ unit }) => unit === "usd");
          if (usd) expect(micros(usd.used)).toBe(cost);
        });
      }
    } finally {
      await second.stop();
    }
  });
});
