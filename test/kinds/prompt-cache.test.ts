import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { eventually } from "#test/harness/eventually.ts";
import * as claude from "#test/providers/anthropic/message-protocol.ts";
import * as google from "#test/providers/gemini/content-protocol.ts";
import { type KindsStack, startKinds } from "./kinds-stack.ts";

/** What a provider's own prompt cache had, or was given, is charged at its own price, and told. */

let kinds: KindsStack;
beforeAll(async () => {
  kinds = await startKinds(inject("postgres"));
});
afterAll(() => kinds?.stop());

/** In dollars for a million tokens, which are micro-dollars for one. */
const PRICES = {
  input_per_million: "3",
  output_per_million: "15",
  cached_input_per_million: "0.3",
  cache_write_per_million: "3.75",
  cache_write_1h_per_million: "6",
};
const CLAUDE = { provider: "anthropic", model: "claude-opus-5-5" };

/** At least as long as what the provider says to have cached. */
const LONG = "a long text ".repeat(300);

const asks = (model: string, ttl: "5m" | "1h", name = model) => ({
  model,
  max_tokens: 100,
  messages: [
    {
      role: "user" as const,
      content: [
        {
          type: "text" as const,
          text: LONG + name,
          cache_control: { type: "ephemeral" as const, ttl },
        },
        { type: "text" as const, text: "one two" },
      ],
    },
  ],
});

interface Told {
  cost: string;
  input_tokens: number;
  output_tokens: number;
  cached_input_tokens: number;
  cache_write_tokens: number;
}

const dollars = (micros: number) => (Math.ceil(micros) / 1e6).toFixed(6);

/** Records of a model, the oldest first. */
async function recordsOf(model: string, count: number): Promise<Told[]> {
  const client = kinds.stack.client(kinds.key);
  return eventually(async () => {
    const path = `/v1/usage/records?model=${encodeURIComponent(model)}`;
    const { data } = await client.expect<{ data: Told[] }>(200, "GET", path);
    expect(data).toHaveLength(count);
    return data.toReversed();
  });
}

describe("a provider's own prompt cache", () => {
  it.each([
    ["5m", 3.75],
    ["1h", 6],
  ] as const)(
    "of Anthropic costs what writing (%s) and reading it does, streamed or not",
    async (ttl, writing) => {
      const model = await kinds.model(`cache/${ttl}`, [CLAUDE], { prices: PRICES });
      const client = kinds.anthropic();
      const first = await client.messages.create(asks(model, ttl));
      expect(first.usage.cache_creation).toEqual({
        ephemeral_5m_input_tokens: ttl === "5m" ? claude.CACHED_TOKENS : 0,
        ephemeral_1h_input_tokens: ttl === "1h" ? claude.CACHED_TOKENS : 0,
      });
      await client.messages.create(asks(model, ttl));
      await client.messages.stream(asks(model, ttl, `${model} streamed`)).finalMessage();
      await client.messages.stream(asks(model, ttl, `${model} streamed`)).finalMessage();
      const records = await recordsOf(model, 4);
      const { INPUT_TOKENS, CACHED_TOKENS } = claude;
      const expected = [writing, 0.3, writing, 0.3].map((price, index) => {
        const output = records[index]?.output_tokens ?? 0;
        return {
          input_tokens: INPUT_TOKENS + CACHED_TOKENS,
          cached_input_tokens: price === 0.3 ? CACHED_TOKENS : 0,
          cache_write_tokens: price === 0.3 ? 0 : CACHED_TOKENS,
          cost: dollars(INPUT_TOKENS * 3 + CACHED_TOKENS * price + output * 15),
        };
      });
      expect(records).toMatchObject(expected);
      const sums = await kinds.stack
        .client(kinds.key)
        .expect<{ data: Told[] }>(
          200,
          "GET",
          `/v1/usage?group_by=model&model=${encodeURIComponent(model)}`,
        );
      expect(sums.data).toMatchObject([
        { cached_input_tokens: 2 * CACHED_TOKENS, cache_write_tokens: 2 * CACHED_TOKENS },
      ]);
    },
  );

  it("of Google's costs what reading it does; a target's own price comes before the model's", async () => {
    const gemini = { provider: "gemini", model: "gemini-3-flash" };
    const cheaper = { ...gemini, prices: { ...PRICES, cached_input_per_million: "1" } };
    const model = await kinds.model("cache/gemini", [cheaper], { prices: PRICES });
    await kinds.openai().chat.completions.create({
      model,
      messages: [{ role: "user", content: "hi" }],
    });
    const [record] = await recordsOf(model, 1);
    const { INPUT_TOKENS, CACHED_TOKENS } = google;
    expect(record).toMatchObject({
      cached_input_tokens: CACHED_TOKENS,
      cost: dollars(
        (INPUT_TOKENS - CACHED_TOKENS) * 3 + CACHED_TOKENS + (record?.output_tokens ?? 0) * 15,
      ),
    });
  });

  it("costs as other input where a model has no price for it, and prices are told as they were put", async () => {
    const model = await kinds.model("cache/plain", [CLAUDE]);
    await kinds.anthropic().messages.create(asks(model, "1h"));
    const [record] = await recordsOf(model, 1);
    const input = claude.INPUT_TOKENS + claude.CACHED_TOKENS;
    expect(record?.cost).toBe(dollars(input * 3 + (record?.output_tokens ?? 0) * 15));
    const shown = async (name: string) => {
      const path = `/v1/admin/models/${encodeURIComponent(name)}`;
      return (await kinds.stack.admin.expect<{ prices: object }>(200, "GET", path)).prices;
    };
    expect(await shown(model)).toEqual({
      input_per_million: "3.000000",
      output_per_million: "15.000000",
    });
    await kinds.model("cache/shown", [CLAUDE], { prices: PRICES });
    expect(await shown("cache/shown")).toMatchObject({
      cached_input_per_million: "0.300000",
      cache_write_per_million: "3.750000",
      cache_write_1h_per_million: "6.000000",
    });
  });

  it("takes no budget beyond its end: what writing costs was set aside before", async () => {
    const model = await kinds.model("cache/budget", [CLAUDE], { prices: PRICES });
    const team = await kinds.stack.createTeam();
    const max = 0.1;
    await kinds.stack.admin.expect(200, "PUT", `/v1/teams/${team.teamId}/limits`, {
      limits: [{ unit: "usd", window: "day", max: String(max) }],
    });
    const client = kinds.anthropic({ apiKey: team.key });
    const statuses = await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        client.messages.create(asks(model, "1h", `budget ${index}`)).then(
          () => 200,
          (error: { status: number }) => error.status,
        ),
      ),
    );
    expect(new Set(statuses)).toEqual(new Set([200, 429]));
    const own = kinds.stack.client(team.key);
    await eventually(async () => {
      const { data } = await own.expect<{ data: Told[] }>(
        200,
        "GET",
        "/v1/usage/records?limit=200",
      );
      const answered = statuses.filter((status) => status === 200).length;
      expect(data).toHaveLength(statuses.length);
      expect(data.filter((record) => record.cache_write_tokens > 0)).toHaveLength(answered);
      const spent = data.reduce((sum, { cost }) => sum + Number(cost), 0);
      expect(spent).toBeLessThanOrEqual(max);
      const limits = await own.expect<{ data: { used: string }[] }>(200, "GET", "/v1/limits");
      expect(Number(limits.data[0]?.used)).toBeCloseTo(spent, 6);
    });
  });
});
