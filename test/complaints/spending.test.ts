import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { ApiClient } from "#test/harness/api-client.ts";
import { eventually } from "#test/harness/eventually.ts";
import { type MeteredStack, micros, startMeteredStack } from "#test/meter/metered-stack.ts";

/** What users of other gateways complain of about limits and budgets, as they met it, with two processes throughout. */

let metered: MeteredStack;
let second: Awaited<ReturnType<MeteredStack["stack"]["startSecondApi"]>>;
beforeAll(async () => {
  metered = await startMeteredStack(inject("postgres"));
  for (const model of ["budgeted", "unseen-user", "parallel", "occupied", "left"])
    await metered.addModel(model, model);
  second = await metered.stack.startSecondApi();
});
afterAll(async () => {
  await second?.stop();
  await metered?.stop();
});

/** For longer than this no process remembers a refusal, in milliseconds. */
const REFUSAL_KEPT_MS = 500;
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A team of its own, and its key at both processes. */
async function makeTeam(...limits: object[]) {
  const { teamId, keyId, key, client } = await metered.stack.createTeam();
  if (limits.length > 0) await metered.limitTeam(teamId, ...limits);
  return { teamId, keyId, client, both: [client, second.client(key)] };
}

/** Sends requests at once, to the processes in turn. */
const burst = (clients: ApiClient[], count: number, more: object = {}) =>
  Promise.all(
    Array.from({ length: count }, (_, index) => {
      const client = clients[index % clients.length];
      if (!client) throw new Error("Somebody has to ask");
      return metered.ask(client, more);
    }),
  );

const countOf = (answers: { status: number }[], status: number) =>
  answers.filter((answer) => answer.status === status).length;

/** How many requests a provider worked on at the same moment, at most. */
function mostAtOnce(model: string): number {
  const moments = metered.provider.requestsFor(model).flatMap(({ receivedAt, finishedAt }) => [
    { at: receivedAt, step: 1 },
    { at: finishedAt ?? Infinity, step: -1 },
  ]);
  let running = 0;
  let most = 0;
  for (const { step } of moments.toSorted((a, b) => a.at - b.at || a.step - b.step))
    most = Math.max(most, (running += step));
  return most;
}

describe("a budget", () => {
  it("BerriAI/litellm#26672: is not overshot by requests that all see the same rest of it", async () => {
    const { teamId, client, both } = await makeTeam({ unit: "usd", window: "day", max: "0.50" });
    const answers = await burst(both, 200);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 429]));
    const [shown] = await metered.settled(client);
    await eventually(async () =>
      expect((await metered.recorded(teamId)).answered).toBe(countOf(answers, 200)),
    );
    const recorded = await metered.recorded(teamId);
    expect(recorded.micros).toBeLessThanOrEqual(500_000);
    expect(micros(shown?.used ?? 0)).toBe(recorded.micros);
  });

  it("BerriAI/litellm#23714: of a key ends its requests once it is spent, and nobody is asked any more", async () => {
    const { client } = await makeTeam();
    const made = await client.expect<{ key: string }>(201, "POST", "/v1/keys", {
      name: "budgeted",
      scopes: ["chat"],
      limits: [{ unit: "usd", window: "month", max: "0.20" }],
    });
    const clients = [metered.stack.client(made.key), second.client(made.key)];
    // What running requests had set aside comes back; then what is left is too little for one more.
    const answered = await eventually(async () => {
      await metered.settled(client);
      await pause(REFUSAL_KEPT_MS);
      const answers = await burst(clients, 4, { model: "budgeted" });
      expect(countOf(answers, 429)).toBe(4);
      return metered.provider.requestsFor("budgeted").length;
    });
    expect(answered).toBeGreaterThan(0);
    const after = await burst(clients, 20, { model: "budgeted" });
    expect(countOf(after, 429)).toBe(20);
    for (const { headers, text } of after) {
      expect(headers.get("x-should-retry")).toBe("false");
      expect(text).toContain("insufficient_quota");
    }
    expect(metered.provider.requestsFor("budgeted")).toHaveLength(answered);
  });

  it("BerriAI/litellm#40095: holds for the first requests of an end user that nobody has seen", async () => {
    const { both } = await makeTeam({ unit: "usd", window: "day", max: "0.000001", end_user: "*" });
    const user = `customer-${crypto.randomUUID()}`;
    const answers = await burst(both, 8, { model: "unseen-user", user });
    expect(countOf(answers, 429)).toBe(8);
    expect(metered.provider.requestsFor("unseen-user")).toHaveLength(0);
  });

  it("QuantumNous/new-api#6609: that was paid ahead never becomes a debt", async () => {
    const { teamId, client, both } = await makeTeam();
    await metered.stack.admin.expect(201, "POST", `/v1/teams/${teamId}/credits`, {
      amount: "0.40",
      reason: "paid",
    });
    const answers = await burst(both, 100);
    expect(countOf(answers, 200)).toBeGreaterThan(0);
    await eventually(async () =>
      expect((await metered.recorded(teamId)).answered).toBe(countOf(answers, 200)),
    );
    const [shown] = await metered.settled(client);
    expect(shown?.prepaid).toBe(true);
    expect(micros(shown?.remaining ?? -1)).toBeGreaterThanOrEqual(0);
    expect((await metered.recorded(teamId)).micros).toBeLessThanOrEqual(400_000);
  });
});

describe("a limit over several processes", () => {
  it("BerriAI/litellm#35533: is one limit, and not one for each of them where the cache is gone", async () => {
    const { both } = await makeTeam({ unit: "requests", window: "day", max: 10 });
    // Nothing of limits is in the cache: with all of it lost between any two requests they hold as before.
    const lose = setInterval(() => void metered.stack.redis.execute([["FLUSHALL"]]), 5);
    const answers = await burst(both, 60);
    clearInterval(lose);
    expect([countOf(answers, 200), countOf(answers, 429)]).toEqual([10, 50]);
  });

  it("BerriAI/litellm#16011: of running requests is never passed, at whichever process they run", async () => {
    const { both } = await makeTeam({ unit: "concurrency", max: 3 });
    metered.provider.script("parallel", { firstByteDelayMs: 250 });
    for (let round = 0; round < 4; round++) {
      const answers = await burst(both, 24, { model: "parallel" });
      expect(countOf(answers, 200) + countOf(answers, 429)).toBe(24);
    }
    expect(metered.provider.requestsFor("parallel").length).toBeGreaterThan(3);
    expect(mostAtOnce("parallel")).toBeLessThanOrEqual(3);
  });

  it("Kong/kong#11846: is shown by every answer, reaches nothing, and does not begin anew before its window does", async () => {
    const { both } = await makeTeam({ unit: "requests", window: "day", max: 12 });
    const answered = [0, 0];
    const statuses: number[] = [];
    for (let index = 0; index < 40; index++) {
      const which = index % 2;
      const client = both[which];
      if (!client) throw new Error("There are two");
      const { status, headers } = await metered.ask(client);
      statuses.push(status);
      if (status === 200) answered[which] = (answered[which] ?? 0) + 1;
      expect(headers.get("x-ratelimit-limit-requests")).toBe("12");
      expect(headers.get("ratelimit-policy")).toContain("q=12;w=86400");
      const remaining = Number(headers.get("x-ratelimit-remaining-requests") ?? "missing");
      // What the other process has used since its last word is not known here yet; what this one has used is.
      expect(remaining).toBeLessThanOrEqual(12 - (answered[which] ?? 0));
      if (status === 429) expect(remaining).toBe(0);
    }
    expect(statuses.filter((status) => status === 200)).toHaveLength(12);
    expect(statuses.slice(-10)).toEqual(Array.from({ length: 10 }, () => 429));
  });
});

it("BerriAI/litellm#39309: a request that one limit refuses uses up none of another", async () => {
  const { both } = await makeTeam(
    { unit: "requests", window: "day", max: 2 },
    { unit: "concurrency", max: 1 },
  );
  metered.provider.script("occupied", { firstByteDelayMs: 6_000 });
  const [one, other] = both;
  if (!one || !other) throw new Error("There are two");
  const first = metered.ask(one, { model: "occupied" });
  await eventually(() => expect(metered.provider.requestsFor("occupied")).toHaveLength(1));
  const refused = await Promise.all([metered.ask(one), metered.ask(other), metered.ask(other)]);
  expect(refused.map(({ status }) => status)).toEqual([429, 429, 429]);
  expect(metered.provider.requestsFor("occupied")[0]?.finishedAt).toBeNull();
  expect((await first).status).toBe(200);
  // The second request of the two that the day has.
  await eventually(async () => expect((await metered.ask(other)).status).toBe(200));
  const { status, text } = await metered.ask(one);
  expect(status).toBe(429);
  expect(text).toContain("requests per day");
});

it("BerriAI/litellm#14457: a client that hangs up pays for what was written until then, and counts for its budget", async () => {
  const { teamId, client } = await makeTeam({ unit: "usd", window: "day", max: "10.00" });
  const pieces = Array.from({ length: 400 }, (_, index) => ` word ${index}`);
  metered.provider.script("left", { pieces, eventDelayMs: 25 });
  const controller = new AbortController();
  const body = { model: "left", messages: [{ role: "user", content: "hi" }], stream: true };
  const response = await client.request(
    "POST",
    "/v1/chat/completions",
    body,
    {},
    controller.signal,
  );
  const reader = response.body?.getReader();
  let read = "";
  while (!read.includes(" word 20"))
    read += new TextDecoder().decode((await reader?.read())?.value);
  controller.abort();
  await eventually(() => expect(metered.provider.requestsFor("left")[0]?.abortedAt).not.toBeNull());
  const record = await eventually(async () => {
    const [row] = await metered.stack.sql<{ output: number; cost: number; estimated: boolean }>(
      `SELECT output_tokens::int AS output, cost_micros::int AS cost, estimated
       FROM usage_records WHERE team_id = $1 AND model = 'left'`,
      [teamId],
    );
    expect(row).toBeDefined();
    return row;
  });
  expect(record?.estimated).toBe(true);
  expect(record?.output).toBeGreaterThanOrEqual(20);
  expect(record?.output).toBeLessThan(1_600); // not all of it: the provider was told to stop
  const [shown] = await metered.settled(client);
  expect(micros(shown?.used ?? 0)).toBe(record?.cost);
});
