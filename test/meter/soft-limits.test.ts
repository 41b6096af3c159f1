import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { eventually } from "#test/harness/eventually.ts";
import { type MeteredStack, startMeteredStack } from "./metered-stack.ts";

/** Limits that warn, limits that are raised for a while, and requests that no limit could ever hold. */

let metered: MeteredStack;
beforeAll(async () => (metered = await startMeteredStack(inject("postgres"))));
afterAll(() => metered?.stop());

const warningsOf = (teamId: string) =>
  metered.stack.logs.entries
    .filter(({ event, team_id }) => event === "soft_limit_reached" && team_id === teamId)
    .map(({ unit, percent, used, max }) => ({ unit, percent, used, max }));

describe("a soft limit", () => {
  it("refuses nothing, warns clients by a field, and the operator once", async () => {
    const { teamId, client } = await metered.stack.createTeam();
    await metered.limitTeam(teamId, { unit: "requests", window: "day", max: 5, soft: true });
    const headers = [];
    for (let index = 0; index < 8; index++) {
      const answer = await metered.ask(client);
      expect(answer.status).toBe(200);
      headers.push(answer.headers.get("x-limit-warning"));
      expect(answer.headers.get("ratelimit-policy")).toBeNull();
    }
    expect(headers[0]).toBeNull();
    expect(headers.at(-1)).toMatch(/^"team-requests-day";used=\d{3};max="5 by day";resets=\d+$/);
    await metered.settled(client);
    expect(await metered.limits(client)).toMatchObject([{ used: 8, remaining: 0, soft: true }]);
    expect(warningsOf(teamId)).toMatchObject([
      { unit: "requests", percent: 80, max: 5 },
      { unit: "requests", percent: 100, max: 5 },
    ]);
    await metered.ask(client);
    await metered.settled(client);
    expect(warningsOf(teamId)).toHaveLength(2);
  });
});

describe("a raise", () => {
  it("holds at once, and ends by itself", async () => {
    const { teamId, client } = await metered.stack.createTeam();
    const limit = { unit: "requests", window: "day", max: 1 };
    await metered.limitTeam(teamId, limit);
    expect((await metered.ask(client)).status).toBe(200);
    expect((await metered.ask(client)).status).toBe(429);
    const until = new Date(Date.now() + 6_000);
    await metered.limitTeam(teamId, { ...limit, raise: { max: 100, until: until.toISOString() } });
    await eventually(async () => expect((await metered.ask(client)).status).toBe(200));
    expect(await metered.limits(client)).toMatchObject([
      { max: 100, raise: { max: 100, until: until.toISOString() } },
    ]);
    await eventually(() => expect(Date.now()).toBeGreaterThan(until.getTime() + 1_000));
    expect((await metered.ask(client)).status).toBe(429);
    expect(await metered.limits(client)).toMatchObject([{ max: 1, remaining: 0, raise: null }]);
  });
});

describe("a request that is larger than a whole limit", () => {
  it.each([
    ["tokens", { unit: "tokens", window: "minute", max: 300 }],
    ["money", { unit: "usd", window: "month", max: "0.30" }],
  ])("of %s is told which max_tokens would fit, and that is true", async (_, limit) => {
    const { teamId, client } = await metered.stack.createTeam();
    await metered.limitTeam(teamId, limit);
    const refused = await metered.ask(client, { max_tokens: 10_000 });
    expect(refused.status).toBe(429);
    expect(refused.headers.get("x-should-retry")).toBe("false");
    const fitting = Number(/With max_tokens of (\d+) or less it can\./.exec(refused.text)?.[1]);
    expect(fitting).toBeGreaterThan(100);
    expect((await metered.ask(client, { max_tokens: fitting + 1 })).status).toBe(429);
    expect((await metered.ask(client, { max_tokens: fitting })).status).toBe(200);
  });
});
