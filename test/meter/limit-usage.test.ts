import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { eventually } from "#test/harness/eventually.ts";
import {
  type MeteredStack,
  micros,
  type ShownLimit,
  startMeteredStack,
  TOKEN_PRICE,
  USUAL_TOKENS,
} from "./metered-stack.ts";

/** GET /v1/limits: what is used of every limit, for whoever may see it. */

let metered: MeteredStack;
beforeAll(async () => (metered = await startMeteredStack(inject("postgres"))));
afterAll(() => metered?.stop());

const newKey = (teamId: string, body: object = {}) =>
  metered.stack.admin.expect<{ id: string; key: string }>(201, "POST", "/v1/keys", {
    name: "k",
    team_id: teamId,
    scopes: ["chat"],
    ...body,
  });
const named = (all: ShownLimit[], unit: string) => all.find((limit) => limit.unit === unit);

describe("GET /v1/limits", () => {
  it("shows what requests have used of every limit, exact when they have settled", async () => {
    const { teamId, client } = await metered.stack.createTeam();
    await metered.limitTeam(
      teamId,
      { unit: "requests", window: "day", max: 100 },
      { unit: "tokens", window: "day", max: 100_000, soft: true },
      { unit: "usd", window: "month", max: "25.00" },
      { unit: "concurrency", max: 5 },
    );
    const [before] = await metered.limits(client);
    expect(before).toMatchObject({
      id: expect.stringMatching(/^lim_/),
      owner: teamId,
      window: "day",
      model: null,
      end_user: null,
      soft: false,
      on_error: "open",
      prepaid: false,
      raise: null,
      max: 100,
      used: 0,
      reserved: 0,
      remaining: 100,
    });
    expect(Date.parse(before?.resets_at ?? "")).toBeGreaterThan(Date.now());
    for (let index = 0; index < 3; index++) expect((await metered.ask(client)).status).toBe(200);
    await eventually(async () =>
      expect(named(await metered.limits(client), "requests")?.used).toBe(3),
    );
    const after = await metered.settled(client);
    expect(after).toMatchObject([
      { unit: "requests", used: 3, remaining: 97 },
      { unit: "tokens", used: 3 * USUAL_TOKENS, soft: true },
      { unit: "usd", max: "25.00" },
      { unit: "concurrency", used: 0, remaining: 5, resets_at: null, window: null },
    ]);
    const usd = named(after, "usd");
    expect(micros(usd?.used ?? 0)).toBe(3 * USUAL_TOKENS * TOKEN_PRICE);
    expect(micros(usd?.remaining ?? 0)).toBe(25_000_000 - 3 * USUAL_TOKENS * TOKEN_PRICE);
  });

  it("shows what a running request has set aside", async () => {
    const { teamId, client } = await metered.stack.createTeam();
    await metered.addModel("slow", "fault/slow-first-byte");
    await metered.limitTeam(teamId, { unit: "concurrency", max: 4 });
    const running = metered.ask(client, { model: "slow" });
    await eventually(async () => {
      const [limit] = await metered.limits(client);
      expect(Number(limit?.reserved)).toBeGreaterThan(0);
      expect(Number(limit?.remaining)).toBe(4 - Number(limit?.reserved));
    });
    expect((await running).status).toBe(200);
    expect(await metered.settled(client)).toMatchObject([{ used: 0, remaining: 4 }]);
  });

  it("shows a key its own limits and its team's, and the team's admins those of all keys", async () => {
    const { teamId, client } = await metered.stack.createTeam();
    await metered.limitTeam(teamId, { unit: "requests", window: "day", max: 100 });
    const limits = [{ unit: "requests", window: "hour", max: 10 }];
    const [own, other] = [await newKey(teamId, { limits }), await newKey(teamId, { limits })];
    const ownClient = metered.stack.client(own.key);
    expect((await metered.ask(ownClient)).status).toBe(200);
    await metered.settled(ownClient);
    const owners = (all: ShownLimit[]) => all.map(({ owner, used }) => [owner, used]);
    expect(owners(await metered.limits(ownClient))).toEqual([
      [teamId, 1],
      [own.id, 1],
    ]);
    expect(owners(await metered.limits(client))).toEqual([
      [teamId, 1],
      [own.id, 1],
      [other.id, 0],
    ]);
  });

  it("shows end users' parts to admins and to whoever asks for one, a page at a time", async () => {
    const { teamId, client } = await metered.stack.createTeam();
    await metered.limitTeam(teamId, { unit: "requests", window: "day", max: 9, end_user: "*" });
    const key = metered.stack.client((await newKey(teamId)).key);
    for (const user of ["ann", "ann", "bob"])
      expect((await metered.ask(key, { user })).status).toBe(200);
    await metered.settled(client);
    const users = (all: ShownLimit[]) => all.map(({ end_user, used }) => [end_user, used]);
    expect(users(await metered.limits(client))).toEqual([
      ["ann", 2],
      ["bob", 1],
    ]);
    expect(users(await metered.limits(key))).toEqual([["*", 0]]);
    expect(users(await metered.limits(key, "?end_user=ann"))).toEqual([["ann", 2]]);
    expect(users(await metered.limits(key, "?end_user=eve"))).toEqual([["eve", 0]]);
    type Page = { data: ShownLimit[]; next_cursor: string | null };
    const first = await client.expect<Page>(200, "GET", "/v1/limits?limit=1");
    const second = await client.expect<Page>(
      200,
      "GET",
      `/v1/limits?limit=1&cursor=${first.next_cursor}`,
    );
    expect([...users(first.data), ...users(second.data), second.next_cursor]).toEqual([
      ["ann", 2],
      ["bob", 1],
      null,
    ]);
  });

  it("shows credits, and never another team's limits", async () => {
    const { teamId, client } = await metered.stack.createTeam();
    const stranger = await metered.stack.createTeam();
    await metered.stack.admin.expect(201, "POST", `/v1/teams/${teamId}/credits`, {
      amount: "2.00",
      reason: "test",
    });
    await metered.limitTeam(stranger.teamId, { unit: "requests", window: "day", max: 77 });
    expect(await metered.limits(client)).toMatchObject([
      { owner: teamId, unit: "usd", window: "total", prepaid: true, max: "2.00", resets_at: null },
    ]);
    const asAdmin = metered.stack.client(null);
    expect((await asAdmin.request("GET", "/v1/limits")).status).toBe(401);
    expect((await metered.stack.admin.request("GET", "/v1/limits")).status).toBe(400);
    const shown = await metered.stack.admin.expect<{ data: ShownLimit[] }>(
      200,
      "GET",
      "/v1/limits",
      undefined,
      { "x-team-id": stranger.teamId },
    );
    expect(shown.data).toMatchObject([{ owner: stranger.teamId, max: 77 }]);
  });
});

describe("a changed limit", () => {
  it("holds within a second in every process, whichever way it was changed", async () => {
    const { teamId, client, key } = await metered.stack.createTeam();
    const second = await metered.stack.startSecondApi();
    try {
      const clients = [client, second.client(key)];
      const day = { unit: "requests", window: "day" };
      await metered.limitTeam(teamId, { ...day, max: 1_000 });
      for (const one of clients) expect((await metered.ask(one)).status).toBe(200);
      for (const [max, expected] of [
        [0, 429],
        [1_000, 200],
        [1, 429],
      ] as const) {
        await metered.limitTeam(teamId, { ...day, max });
        const changedAt = Date.now();
        for (const one of clients) {
          // Asked all along, so that the isolate is warm and holds a lease of the old limit; what was asked later
          // than a second after the change must have seen it, and the first such request says so.
          const [late] = await eventually(async () => {
            const askedAt = Date.now();
            const answers = [await metered.ask(one)];
            expect(askedAt - changedAt).toBeGreaterThan(1_000);
            return answers;
          });
          expect(late?.status).toBe(expected);
        }
      }
    } finally {
      await second.stop();
    }
  });
});
