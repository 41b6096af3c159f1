import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { eventually } from "#test/harness/eventually.ts";
import { type Stack, startStack } from "#test/harness/stack.ts";
import { expectInvalid, expectProblem } from "./problem.ts";

let stack: Stack;

beforeAll(async () => {
  stack = await startStack({
    postgres: inject("postgres"),
    workers: ["api"],
    vars: { ALLOW_PRIVATE_UPSTREAMS: "" },
  });
});
afterAll(() => stack?.stop());

const PROVIDERS = "/v1/admin/providers";
const MODELS = "/v1/admin/models";
const putProvider = (name: string, body: object = {}) =>
  stack.admin.request("PUT", `${PROVIDERS}/${name}`, {
    base_url: "https://api.openai.com/v1",
    ...body,
  });
const target = (provider: string) => ({ targets: [{ provider, model: "m" }] });

describe("a provider", () => {
  test("is put, read, replaced and deleted; its key goes in and never comes out", async () => {
    const made = await putProvider("openai", {
      kind: "openai",
      base_url: "https://API.openai.com:443/v1/",
      api_key: "sk-secret-1",
      timeout_ms: 1_000,
    });
    expect(made.status).toBe(201);
    const provider: unknown = await made.json();
    expect(provider).toEqual({
      name: "openai",
      kind: "openai",
      base_url: "https://api.openai.com/v1",
      has_api_key: true,
      timeout_ms: 1_000,
      timeouts: { first_token_ms: null, between_tokens_ms: 1_000, total_ms: 600_000 },
      retries: { max: 1 },
      circuit: {
        window_ms: 30_000,
        minimum_requests: 10,
        error_rate: 0.5,
        slow_ms: null,
        slow_rate: 0.8,
        open_ms: 10_000,
      },
      created_at: expect.any(String),
      updated_at: expect.any(String),
    });
    expect(await stack.admin.expect(200, "GET", `${PROVIDERS}/openai`)).toEqual(provider);
    const replaced = await putProvider("openai", { base_url: "http://8.8.8.8" });
    expect(replaced.status).toBe(200);
    expect(await replaced.json()).toMatchObject({
      base_url: "http://8.8.8.8",
      timeout_ms: 60_000,
      has_api_key: true,
    });
    await stack.admin.expect(204, "DELETE", `${PROVIDERS}/openai`);
    const gone = await stack.admin.request("GET", `${PROVIDERS}/openai`);
    await expectProblem(gone, 404, "not_found");
    const twice = await stack.admin.request("DELETE", `${PROVIDERS}/openai`);
    await expectProblem(twice, 404, "not_found");
  });

  test("keeps its key when a PUT leaves it out, and loses it with null", async () => {
    const sealed = async () =>
      (
        await stack.sql<{ api_key_sealed: string | null }>(
          "SELECT api_key_sealed FROM providers WHERE name = 'keeper'",
        )
      )[0]?.api_key_sealed;
    await putProvider("keeper", { api_key: "sk-secret-2" });
    const first = await sealed();
    expect(first).toMatch(/^v1\./);
    expect(first).not.toContain("sk-secret-2");
    await putProvider("keeper", { timeout_ms: 2_000 });
    expect(await sealed()).toBe(first);
    await putProvider("keeper", { api_key: "sk-secret-2" });
    expect(await sealed()).not.toBe(first);
    const without = await putProvider("keeper", { api_key: null });
    expect(await without.json()).toMatchObject({ has_api_key: false });
    expect(await sealed()).toBeNull();
  });

  test.each([
    "http://127.0.0.1:8080/v1",
    "http://2130706433/v1",
    "http://0x7f.1/v1",
    "http://0177.0.0.1/v1",
    "http://①②⑦.0.0.1/v1",
    "http://localhost/v1",
    "http://localhost./v1",
    "http://metadata.google.internal/v1",
    "http://169.254.169.254/v1",
    "http://100.100.100.200/v1",
    "http://10.1.2.3/v1",
    "http://192.168.1.1/v1",
    "http://[::1]/v1",
    "http://[::ffff:127.0.0.1]/v1",
    "http://[::ffff:a9fe:a9fe]/v1",
    "http://[fd00:ec2::254]/v1",
    "http://[fe80::1]/v1",
    "http://[64:ff9b::7f00:1]/v1",
    "http://postgres:5432",
    "https://user:pass@api.openai.com/v1",
    "https://@api.openai.com/v1",
    "ftp://api.openai.com/v1",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "https://api.openai.com/v1?key=1",
    "https://api.openai.com/v1#x",
    "api.openai.com/v1",
    "",
    "https://",
    `https://api.openai.com/${"x".repeat(2_100)}`,
  ])("at %s is refused on the real runtime", async (base_url) => {
    await expectInvalid(await putProvider("bad", { base_url }), "base_url");
  });

  test.each<[string, object, string]>([
    ["another kind", { kind: "cohere" }, "kind"],
    ["a short timeout", { timeout_ms: 999 }, "timeout_ms"],
    ["a long timeout", { timeout_ms: 600_001 }, "timeout_ms"],
    ["a timeout as text", { timeout_ms: "60000" }, "timeout_ms"],
    ["an empty key", { api_key: "" }, "api_key"],
    ["a key with a line break", { api_key: "sk-1\r\nx-evil: 1" }, "api_key"],
    ["a key with spaces", { api_key: "sk 1" }, "api_key"],
    ["a key that is very long", { api_key: "x".repeat(4_097) }, "api_key"],
    ["an unknown field", { headers: {} }, "headers"],
    ["a pause of no time", { timeouts: { between_tokens_ms: 0 } }, "timeouts.between_tokens_ms"],
    ["six retries", { retries: { max: 6 } }, "retries.max"],
    ["a share over one", { circuit: { error_rate: 1.5 } }, "circuit.error_rate"],
    ["a sealed key", { api_key_sealed: "v1.a.b" }, "api_key_sealed"],
  ])("with %s is refused", async (_, body, path) => {
    await expectInvalid(await putProvider("bad", body), path);
  });

  test.each(["builtin", "default", "UPPER", "-x", "a%20b", "a%2Fb", "x".repeat(65), "%00"])(
    "cannot be called %s",
    async (name) => {
      await expectInvalid(await putProvider(name), "name");
    },
  );

  test("is not deleted while models use it, and the sentence names them", async () => {
    await putProvider("used");
    await stack.admin.expect(201, "PUT", `${MODELS}/uses-it`, target("used"));
    const response = await stack.admin.request("DELETE", `${PROVIDERS}/used`);
    expect((await expectProblem(response, 409, "conflict")).detail).toContain("uses-it");
    await stack.admin.expect(204, "DELETE", `${MODELS}/uses-it`);
    await stack.admin.expect(204, "DELETE", `${PROVIDERS}/used`);
  });

  test("never vanishes from under a model that is put at the same moment", async () => {
    for (let round = 0; round < 8; round++) {
      const name = `race-${round}`;
      await putProvider(name);
      const [put, deleted] = await Promise.all([
        stack.admin.request("PUT", `${MODELS}/${name}`, target(name)),
        stack.admin.request("DELETE", `${PROVIDERS}/${name}`),
      ]);
      expect([`201 409`, `422 204`]).toContain(`${put.status} ${deleted.status}`);
    }
  });

  test("are listed by name in pages", async () => {
    for (const name of ["list-c", "list-a", "list-b"]) await putProvider(name);
    type Answer = { data: { name: string }[]; next_cursor: string | null };
    const names: string[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const query: string = cursor === "" ? "" : `&cursor=${cursor}`;
      const page: Answer = await stack.admin.expect(200, "GET", `${PROVIDERS}?limit=1${query}`);
      names.push(...page.data.map((provider) => provider.name));
      cursor = page.next_cursor;
    }
    expect(names.filter((name) => name.startsWith("list-"))).toEqual([
      "list-a",
      "list-b",
      "list-c",
    ]);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe("a model", () => {
  beforeAll(async () => {
    const response = await putProvider("acme");
    await response.body?.cancel();
  });

  test("is put, read, replaced and deleted, with prices as exact decimal strings", async () => {
    const body = {
      targets: [{ provider: "acme", model: "gpt-4o-mini", weight: 3 }],
      strategy: "ordered",
      prices: { input_per_million: "0.15", output_per_million: "10000" },
      max_output_tokens: 16_384,
      context_tokens: 128_000,
    };
    expect(await stack.admin.expect(201, "PUT", `${MODELS}/gpt-4o-mini`, body)).toEqual({
      ...body,
      name: "gpt-4o-mini",
      hedge_after_ms: null,
      prices: { input_per_million: "0.150000", output_per_million: "10000.000000" },
      created_at: expect.any(String),
      updated_at: expect.any(String),
    });
    const replaced = await stack.admin.expect(200, "PUT", `${MODELS}/gpt-4o-mini`, target("acme"));
    expect(replaced).toMatchObject({
      targets: [{ provider: "acme", model: "m", weight: 1 }],
      prices: { input_per_million: "0.000000", output_per_million: "0.000000" },
      max_output_tokens: null,
      context_tokens: null,
    });
    expect(await stack.admin.expect(200, "GET", `${MODELS}/gpt-4o-mini`)).toEqual(replaced);
    await stack.admin.expect(204, "DELETE", `${MODELS}/gpt-4o-mini`);
    const gone = await stack.admin.request("GET", `${MODELS}/gpt-4o-mini`);
    await expectProblem(gone, 404, "not_found");
  });

  test.each(["meta-llama/llama-3:free", "a/b/c/d", "A.B_c-1:x/y", "verify", "x".repeat(200)])(
    "may be called %s, with slashes as they are or as %%2F",
    async (name) => {
      for (const [status, path] of [
        [201, name],
        [200, encodeURIComponent(name)],
      ] as const) {
        const put = await stack.admin.expect(status, "PUT", `${MODELS}/${path}`, target("acme"));
        expect(put).toMatchObject({ name });
        expect(await stack.admin.expect(200, "GET", `${MODELS}/${path}`)).toMatchObject({ name });
      }
      await stack.admin.expect(204, "DELETE", `${MODELS}/${encodeURIComponent(name)}`);
    },
  );

  test.each(["a%20b", "*", "a%00", "%F0%9F%98%80", "x".repeat(201), "a?b=c%27"])(
    "cannot be called %s",
    async (name) => {
      const response = await stack.admin.request(
        "PUT",
        `${MODELS}/${name.replace("?", "%3F")}`,
        target("acme"),
      );
      await expectInvalid(response, "name");
    },
  );

  test.each<[string, object, string]>([
    ["no target", { targets: [] }, "targets"],
    ["no targets at all", { targets: undefined }, "targets"],
    [
      "the same target twice",
      { targets: [target("acme").targets[0], target("acme").targets[0]] },
      "targets",
    ],
    ["a provider that does not exist", target("nobody"), "targets.0.provider"],
    ["a provider's name that cannot be", target("No Body"), "targets.0.provider"],
    ["a target without a model", { targets: [{ provider: "acme" }] }, "targets.0.model"],
    [
      "an unknown field in the target",
      { targets: [{ ...target("acme").targets[0], url: "http://x" }] },
      "targets.0.url",
    ],
    ["no weight", { targets: [{ provider: "acme", model: "m", weight: 0 }] }, "targets.0.weight"],
    ["a strategy that there is not", { strategy: "random" }, "strategy"],
    ["a hedge at once", { hedge_after_ms: 1 }, "hedge_after_ms"],
    ["a price as a number", { prices: { input_per_million: 0.15 } }, "prices.input_per_million"],
    ["a negative price", { prices: { input_per_million: "-1" } }, "prices.input_per_million"],
    [
      "seven decimals",
      { prices: { output_per_million: "0.0000001" } },
      "prices.output_per_million",
    ],
    ["an exponent", { prices: { output_per_million: "1e3" } }, "prices.output_per_million"],
    ["a comma", { prices: { output_per_million: "0,15" } }, "prices.output_per_million"],
    [
      "a price over 10000",
      { prices: { input_per_million: "10000.000001" } },
      "prices.input_per_million",
    ],
    ["an unknown price", { prices: { cached: "1" } }, "prices.cached"],
    ["no tokens", { max_output_tokens: 0 }, "max_output_tokens"],
    ["half a token", { context_tokens: 1.5 }, "context_tokens"],
    ["an unknown field", { alias: "x" }, "alias"],
  ])("with %s is refused with a sentence", async (_, body, path) => {
    const response = await stack.admin.request("PUT", `${MODELS}/bad`, {
      ...target("acme"),
      ...body,
    });
    await expectInvalid(response, path);
    const nothing = await stack.admin.request("GET", `${MODELS}/bad`);
    await expectProblem(nothing, 404, "not_found");
  });

  test("may have several targets, each with a price and a bound of its own", async () => {
    await (await putProvider("other")).body?.cancel();
    const targets = [
      { provider: "acme", model: "m", weight: 3 },
      {
        provider: "other",
        model: "n",
        weight: 1,
        prices: { input_per_million: "0.000001", output_per_million: "2.000000" },
        max_output_tokens: 100,
      },
    ];
    const body = { targets, strategy: "weighted", hedge_after_ms: 2_000 };
    const put = await stack.admin.expect(201, "PUT", `${MODELS}/two`, body);
    expect(put).toMatchObject(body);
    expect(await stack.admin.expect(200, "GET", `${MODELS}/two`)).toEqual(put);
    const many = Array.from({ length: 17 }, (_, index) => ({
      provider: "acme",
      model: `${index}`,
    }));
    const refused = await stack.admin.request("PUT", `${MODELS}/two`, { targets: many });
    await expectInvalid(refused, "targets");
  });

  test("is what clients are offered at once, also in an isolate that has listed models before", async () => {
    const second = await stack.startSecondApi();
    try {
      const { key, client } = await stack.createTeam({ scopes: ["chat"] });
      const listed = async (by: typeof client) =>
        (await by.expect<{ data: { id: string }[] }>(200, "GET", "/v1/models")).data.map(
          (m) => m.id,
        );
      expect(await listed(client)).not.toContain("fresh/model");
      expect(await listed(second.client(key))).not.toContain("fresh/model");
      await stack.admin.expect(201, "PUT", `${MODELS}/fresh/model`, target("acme"));
      expect(await listed(client)).toContain("fresh/model");
      await eventually(async () =>
        expect(await listed(second.client(key))).toContain("fresh/model"),
      );
      await stack.admin.expect(204, "DELETE", `${MODELS}/fresh/model`);
      expect(await listed(client)).not.toContain("fresh/model");
    } finally {
      await second.stop();
    }
  });
});
