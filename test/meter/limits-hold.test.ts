import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { eventually } from "#test/harness/eventually.ts";
import { type Stack, startStack } from "#test/harness/stack.ts";
import { type FaultProvider, startFaultProvider } from "#test/providers/fault-provider.ts";

let stack: Stack;
let provider: FaultProvider;

beforeAll(async () => {
  provider = await startFaultProvider();
  stack = await startStack({ postgres: inject("postgres") });
  await stack.admin.expect(201, "PUT", "/v1/admin/providers/metered", {
    kind: "openai",
    base_url: provider.url,
  });
  await stack.admin.expect(201, "PUT", "/v1/admin/models/metered", {
    targets: [{ provider: "metered", model: "ok", weight: 1 }],
    prices: { input_per_million: "1000", output_per_million: "1000" },
    max_output_tokens: 50,
  });
});
afterAll(async () => {
  await stack.stop();
  await provider.stop();
});

const MESSAGE = {
  model: "metered",
  messages: [{ role: "user", content: "Hello" }],
  max_tokens: 50,
};

type Client = Awaited<ReturnType<Stack["createTeam"]>>["client"];
const ask = async (client: Client) => {
  const response = await client.request("POST", "/v1/chat/completions", MESSAGE);
  return { status: response.status, headers: response.headers, text: await response.text() };
};

const limit = (teamId: string, ...limits: unknown[]) =>
  stack.admin.expect(200, "PUT", `/v1/teams/${teamId}/limits`, { limits });

const spent = async (teamId: string) => {
  const [row] = await stack.sql<{ records: string; cost: string }>(
    "SELECT count(*) FILTER (WHERE status = 200) AS records, coalesce(sum(cost_micros), 0) AS cost FROM usage_records WHERE team_id = $1",
    [teamId],
  );
  return { records: Number(row?.records), cost: Number(row?.cost) };
};

describe("a limit of requests", () => {
  it("lets through as many as it says, and tells the others when to come back", async () => {
    const { teamId, client } = await stack.createTeam();
    await limit(teamId, { unit: "requests", window: "day", max: 5 });
    const answers = [];
    for (let index = 0; index < 8; index++) answers.push(await ask(client));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 429, 429, 429]);
    expect(answers[0]?.headers.get("x-ratelimit-limit-requests")).toBe("5");
    expect(answers[4]?.headers.get("x-ratelimit-remaining-requests")).toBe("0");
    expect(answers[5]?.headers.get("retry-after")).not.toBeNull();
    expect(answers[5]?.text).toContain("rate_limit_exceeded");
  });

  it("is used up by none of those that another limit refuses", async () => {
    const { teamId, client } = await stack.createTeam();
    await limit(
      teamId,
      { unit: "requests", window: "day", max: 100 },
      { unit: "tokens", window: "day", max: 10 },
    );
    for (let index = 0; index < 5; index++) expect((await ask(client)).status).toBe(429);
    await limit(teamId, { unit: "requests", window: "day", max: 4 });
    await eventually(async () => expect((await ask(client)).status).toBe(200));
  });

  it("acts within a second of its change, either way", async () => {
    const { teamId, client } = await stack.createTeam();
    await limit(teamId, { unit: "requests", window: "day", max: 1 });
    expect((await ask(client)).status).toBe(200);
    expect((await ask(client)).status).toBe(429);
    await limit(teamId, { unit: "requests", window: "day", max: 3 });
    const changed = Date.now();
    await eventually(async () => expect((await ask(client)).status).toBe(200));
    expect(Date.now() - changed).toBeLessThan(5_000);
  });
});

describe("a budget", () => {
  it("is not passed by 500 requests at once from two processes, and is what the records add up to", async () => {
    const { teamId, client, key } = await stack.createTeam();
    const second = await stack.startSecondApi();
    try {
      const max = 1_000_000;
      await limit(teamId, { unit: "usd", window: "total", max: "1.00" });
      const clients = [client, second.client(key)];
      const answers = await Promise.all(
        Array.from({ length: 500 }, (_, index) => ask(clients[index % 2] ?? client)),
      );
      const answered = answers.filter(({ status }) => status === 200).length;
      expect(answered).toBeGreaterThan(5);
      for (const { status, headers } of answers) {
        expect([200, 429]).toContain(status);
        if (status === 429) expect(headers.get("x-should-retry")).toBe("false");
      }
      await eventually(async () => expect((await spent(teamId)).records).toBe(answered), 60_000);
      const { cost } = await spent(teamId);
      expect(cost).toBeLessThanOrEqual(max);
    } finally {
      await second.stop();
    }
  });
});
