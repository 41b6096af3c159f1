import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { ApiClient } from "#test/harness/api-client.ts";
import { eventually } from "#test/harness/eventually.ts";
import { type Asked, type MeteredStack, micros, startMeteredStack } from "./metered-stack.ts";

/** Limits under load from two processes, and the books afterwards. */

let metered: MeteredStack;
beforeAll(async () => {
  metered = await startMeteredStack(inject("postgres"));
  for (const fault of ["status-500", "close", "cut", "truncated-json", "no-usage", "slow-events"])
    await metered.addModel(fault, `fault/${fault}`);
});
afterAll(() => metered?.stop());

describe("a limit of requests", () => {
  it("lets through as many as it says, and tells the others when to come back", async () => {
    const { teamId, client } = await metered.stack.createTeam();
    await metered.limitTeam(teamId, { unit: "requests", window: "day", max: 5 });
    const answers = [];
    for (let index = 0; index < 8; index++) answers.push(await metered.ask(client));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 429, 429, 429]);
    expect(answers[0]?.headers.get("x-ratelimit-limit-requests")).toBe("5");
    expect(answers[4]?.headers.get("x-ratelimit-remaining-requests")).toBe("0");
    expect(answers[5]?.headers.get("retry-after")).not.toBeNull();
    expect(answers[5]?.text).toContain("rate_limit_exceeded");
  });

  it("is used up by none of those that another limit refuses", async () => {
    const { teamId, client } = await metered.stack.createTeam();
    await metered.limitTeam(
      teamId,
      { unit: "requests", window: "day", max: 100 },
      { unit: "usd", window: "day", max: "100.00" },
      { unit: "concurrency", max: 100 },
      { unit: "tokens", window: "day", max: 10 },
    );
    const answers = await Promise.all(Array.from({ length: 50 }, () => metered.ask(client)));
    expect(answers.filter(({ status }) => status !== 429)).toEqual([]);
    for (const { used, reserved } of await metered.limits(client))
      expect([Number(used), Number(reserved)]).toEqual([0, 0]);
  });

  it.each(["second", "minute"])(
    "of a %s is new with the next one, and never wider",
    async (window) => {
      const { teamId, client } = await metered.stack.createTeam();
      await metered.limitTeam(teamId, { unit: "requests", window, max: 4 });
      const length = window === "second" ? 1_000 : 60_000;
      const admittedIn = new Map<number, number>();
      const endAt = Date.now() + (window === "second" ? 5_000 : 2_000);
      while (Date.now() < endAt) {
        const startedAt = Math.floor(Date.now() / length);
        const answers = await Promise.all(Array.from({ length: 6 }, () => metered.ask(client)));
        const endedAt = Math.floor(Date.now() / length);
        const admitted = answers.filter(({ status }) => status === 200).length;
        // A burst that crossed a border may have taken of both windows.
        expect(admitted).toBeLessThanOrEqual(4 * (endedAt - startedAt + 1));
        if (startedAt === endedAt)
          admittedIn.set(startedAt, (admittedIn.get(startedAt) ?? 0) + admitted);
      }
      for (const admitted of admittedIn.values()) expect(admitted).toBeLessThanOrEqual(4);
    },
  );
});

describe("limits of a team, a key, a model and an end user", () => {
  it("each count their own requests, and all at once", async () => {
    const { teamId, client } = await metered.stack.createTeam();
    await metered.addModel("other", "ok");
    const day = { unit: "requests", window: "day" };
    await metered.limitTeam(
      teamId,
      { ...day, max: 9 },
      { ...day, max: 2, model: "other" },
      { ...day, max: 3, end_user: "*" },
      { ...day, max: 1, end_user: "eve" },
    );
    const made = await metered.stack.admin.expect<{ key: string }>(201, "POST", "/v1/keys", {
      name: "k",
      team_id: teamId,
      scopes: ["chat"],
      limits: [{ ...day, max: 4 }],
    });
    const key = metered.stack.client(made.key);
    const statuses = async (times: number, at: ApiClient, more: object, headers = {}) => {
      const all: number[] = [];
      for (let time = 0; time < times; time++)
        all.push((await metered.ask(at, more, headers)).status);
      return all;
    };
    expect(await statuses(3, client, { model: "other" })).toEqual([200, 200, 429]); // the model's
    expect(await statuses(4, key, { user: "ann" })).toEqual([200, 200, 200, 429]); // Ann's
    expect(await statuses(2, client, {}, { "x-end-user": "eve" })).toEqual([200, 429]); // Eve's own
    expect(await statuses(2, key, { user: "bob" })).toEqual([200, 429]); // the key's
    expect(await statuses(3, client, {})).toEqual([200, 200, 429]); // the team's
    const all = await metered.settled(client);
    expect(all.map(({ max, end_user, used }) => [max, end_user, used]).toSorted()).toEqual(
      [
        [9, null, 9],
        [2, null, 2],
        [3, "ann", 3],
        [3, "bob", 1],
        [3, "eve", 1],
        [1, "eve", 1],
        [4, null, 4],
      ].toSorted(),
    );
  });
});

describe("concurrency", () => {
  it("is never more than it may be, in two processes together", async () => {
    const { teamId, client, key } = await metered.stack.createTeam();
    const second = await metered.stack.startSecondApi();
    try {
      await metered.limitTeam(teamId, { unit: "concurrency", max: 6 });
      await metered.addModel("counted", "counted");
      let running = 0;
      let most = 0;
      metered.provider.script("counted", () => ({ firstByteDelayMs: 150 }));
      const watch = setInterval(() => {
        running = metered.provider
          .requestsFor("counted")
          .filter(({ finishedAt, abortedAt }) => finishedAt === null && abortedAt === null).length;
        most = Math.max(most, running);
      }, 5);
      const clients = [client, second.client(key)];
      let answered = 0;
      for (let round = 0; round < 8; round++) {
        const answers = await Promise.all(
          Array.from({ length: 12 }, (_, index) =>
            metered.ask(clients[index % 2] ?? client, { model: "counted" }),
          ),
        );
        answered += answers.filter(({ status }) => status === 200).length;
      }
      clearInterval(watch);
      expect(most).toBeLessThanOrEqual(6);
      expect(answered).toBeGreaterThan(8);
      await metered.settled(client);
    } finally {
      await second.stop();
    }
  });
});

/** A client that hangs up in the middle of a stream. */
async function hangUp(client: ApiClient): Promise<Asked> {
  const leave = new AbortController();
  const messages = [{ role: "user", content: "Tell me something long" }];
  const body = { model: "slow-events", messages, stream: true };
  const response = await client.request("POST", "/v1/chat/completions", body, {}, leave.signal);
  const { status, headers } = response;
  if (status !== 200) return { status, headers, text: await response.text() };
  await response.body?.getReader().read();
  leave.abort();
  return { status: 499, headers, text: "" };
}

const MIX: ((client: ApiClient) => Promise<Asked>)[] = [
  (client) => metered.ask(client),
  (client) => metered.ask(client, { stream: true }),
  hangUp,
  (client) => metered.ask(client, { model: "status-500" }),
  (client) => metered.ask(client, { stream: true, n: 2 }),
  (client) => metered.ask(client, { model: "cut", stream: true }),
  (client) => metered.ask(client, { max_tokens: 5 }),
  (client) => metered.ask(client, { model: "close" }),
  (client) => metered.ask(client, { model: "truncated-json" }),
  (client) => metered.ask(client, { model: "no-usage", stream: true }),
];

describe("a budget", () => {
  it("is not passed by 500 requests at once from two processes, and is what the records add up to", async () => {
    const { teamId, client, key } = await metered.stack.createTeam();
    const second = await metered.stack.startSecondApi();
    try {
      await metered.limitTeam(teamId, { unit: "usd", window: "total", max: "5.40" });
      const clients = [client, second.client(key)];
      for (const one of clients) await one.expect(200, "GET", "/v1/models"); // the key is known to both
      const answers = await Promise.all(
        Array.from({ length: 500 }, (_, index) => metered.ask(clients[index % 2] ?? client)),
      );
      const answered = answers.filter(({ status }) => status === 200).length;
      expect(answered).toBeGreaterThan(50);
      for (const { status, headers, text } of answers) {
        // On a machine that is busy with other things a call may take longer than the Meter's patience of 5 s.
        expect([200, 429, 503], text).toContain(status);
        if (status !== 429) continue;
        // Nothing is spent for good yet: what is short is set aside for those that run, so it helps to try again.
        expect(text).toContain("set aside for requests that are running");
        expect([headers.get("retry-after"), headers.get("x-should-retry")]).toEqual(["1", null]);
      }
      await expectExactBooks(teamId, client);
      expect((await metered.recorded(teamId)).answered).toBe(answered);
      // Then it is spent to the end, and no further.
      await eventually(async () => {
        const more = await Promise.all(clients.map((one) => metered.ask(one)));
        for (const { text } of more) expect(text).toContain("insufficient_quota");
      }, 120_000);
      await expectExactBooks(teamId, client);
      const [limit] = await metered.limits(client);
      expect(micros(limit?.remaining ?? 0)).toBeLessThan(100_000); // less than one request's worst case
    } finally {
      await second.stop();
    }
  });

  it("holds and is exact whatever becomes of requests: streams, hang-ups, providers that fail", async () => {
    const { teamId, client, key } = await metered.stack.createTeam();
    const second = await metered.stack.startSecondApi();
    try {
      await metered.stack.admin.expect(201, "POST", `/v1/teams/${teamId}/credits`, {
        amount: "5.00",
        reason: "test",
      });
      await metered.limitTeam(
        teamId,
        { unit: "usd", window: "month", max: "8.00" },
        { unit: "tokens", window: "day", max: 1_000_000 },
        { unit: "requests", window: "day", max: 100_000 },
      );
      const clients = [client, second.client(key)];
      const seen = new Map<number, number>();
      for (let wave = 0; wave < 4; wave++) {
        const answers = await Promise.all(
          Array.from({ length: 100 }, (_, index) => {
            const ask = MIX[(index >> 1) % MIX.length] ?? hangUp;
            return ask(clients[index % 2] ?? client);
          }),
        );
        for (const { status } of answers) seen.set(status, (seen.get(status) ?? 0) + 1);
        for (const { used, max } of await metered.limits(client))
          expect(Number(used)).toBeLessThanOrEqual(Number(max));
      }
      expect([...seen.keys()].toSorted()).toEqual([200, 429, 499, 502]);
      await expectExactBooks(teamId, client);
    } finally {
      await second.stop();
    }
  });
});

/** After everything has settled: budget, credits, tokens and requests are to the last unit what the records say. */
async function expectExactBooks(teamId: string, client: ApiClient): Promise<void> {
  await metered.settled(client);
  await eventually(async () => {
    const { micros: cost, tokens } = await metered.recorded(teamId);
    const [row] = await metered.stack.sql<{ admitted: string }>(
      "SELECT count(*) AS admitted FROM usage_records WHERE team_id = $1 AND status <> 429",
      [teamId],
    );
    for (const { unit, used, max } of await metered.limits(client)) {
      const amount = unit === "usd" ? micros(used) : Number(used);
      const recorded = { usd: cost, tokens, requests: Number(row?.admitted) }[unit];
      expect([unit, amount]).toEqual([unit, recorded]);
      expect(Number(used)).toBeLessThanOrEqual(Number(max));
    }
    expect((await metered.recorded(teamId)).corrections).toBe(0);
  });
}
