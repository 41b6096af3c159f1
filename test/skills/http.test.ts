import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { expectInvalid, expectProblem } from "#test/api/problem.ts";
import { usageRecords } from "#test/gateway/gateway-stack.ts";
import type { ApiClient } from "#test/harness/api-client.ts";
import { eventually } from "#test/harness/eventually.ts";
import type { Stack } from "#test/harness/stack.ts";
import { startWithSkills } from "./skills-stack.ts";

/** Skills by HTTP, with three that only this stack has. */

const HONDA = "1HGCM82633A004352";
/** Micro-dollars, as its definition says. */
const MISBEHAVE_PRICE = 10_000;
let stack: Stack;
let team: Awaited<ReturnType<Stack["createTeam"]>>;
let client: ApiClient;

beforeAll(async () => {
  stack = await startWithSkills(inject("postgres"));
});
afterAll(() => stack?.stop());
beforeEach(async () => {
  team = await stack.createTeam();
  client = team.client;
});

const keyWith = async (scopes: string[]) => {
  const { key } = await client.expect<{ key: string }>(201, "POST", "/v1/keys", {
    name: "other",
    scopes,
  });
  return stack.client(key);
};
const misbehave = (how: string, by = client, signal?: AbortSignal) =>
  by.request("POST", "/v1/skills/test.misbehave", { how }, {}, signal);
const once = () => ({ "idempotency-key": crypto.randomUUID() });
/** The team's usage records of a skill. */
const recordsOf = async (name: string) =>
  (await usageRecords(stack).of(`skill:${name}`)).filter(({ team_id: id }) => id === team.teamId);
const waitForRecords = (name: string, count: number) =>
  eventually(async () => {
    const records = await recordsOf(name);
    expect(records).toHaveLength(count);
    return records;
  });

describe("POST /v1/skills/{name}", () => {
  test("answers with what the definition's output says", async () => {
    expect(
      await client.expect(200, "POST", "/v1/skills/text.count", { text: "to be or not" }),
    ).toEqual({ words: 4, characters: 12 });
    const vin = await client.expect(200, "POST", "/v1/skills/vin.decode", { vin: HONDA });
    const friendly = await client.expect(200, "GET", `/v1/vin/${HONDA}`);
    expect({ ...vin, cached: null }).toEqual({ ...friendly, cached: null });
  });

  test("refuses a wrong input by the path of each field", async () => {
    const url = "/v1/skills/text.count";
    await expectInvalid(await client.request("POST", url, {}), "text");
    await expectInvalid(await client.request("POST", url, { text: 5, more: 1 }), "more", "text");
    await expectInvalid(await client.request("POST", url, []), "");
    await expectInvalid(await client.request("POST", url, "null"), "");
    await expectProblem(await client.request("POST", url, "{"), 400, "invalid_json");
    const plain = await client.request("POST", url, "text=1", { "content-type": "text/plain" });
    await expectProblem(plain, 415, "unsupported_media_type");
    const vin = await client.request("POST", "/v1/skills/vin.decode", { vin: "1HGCM82633A00435" });
    const problem = await expectInvalid(vin, "vin");
    expect(problem.detail).toContain("17 characters");
  });

  test("is not found where there is no such skill, and says where they are listed", async () => {
    for (const name of ["none", "text_count", "__proto__", "constructor", "vin.decode%00"]) {
      const problem = await expectProblem(
        await client.request("POST", `/v1/skills/${name}`, {}),
        404,
        "not_found",
      );
      expect(problem.detail).toContain("GET /v1/skills");
    }
  });

  test("needs the scope skills, and the skill's own, before it looks at the input", async () => {
    const chatOnly = await keyWith(["chat"]);
    const answer = await chatOnly.request("POST", "/v1/skills/text.count", { wrong: true });
    await expectProblem(answer, 403, "missing_scope");
    const skillsOnly = await keyWith(["skills"]);
    await skillsOnly.expect(200, "POST", "/v1/skills/text.count", { text: "a" });
    const refused = await skillsOnly.request("POST", "/v1/skills/test.change", { to: "x" });
    expect((await expectProblem(refused, 403, "missing_scope")).detail).toContain("admin");
    expect(await client.expect(200, "POST", "/v1/skills/test.change", { to: "x" })).toEqual({
      changed_to: "x",
    });
  });
});

describe("a use of a skill", () => {
  test("makes one usage record, and is charged when it succeeds only", async () => {
    expect((await misbehave("answer")).status).toBe(200);
    await expectProblem(await misbehave("throw"), 500, "internal_error");
    await expectInvalid(await misbehave("nonsense"), "how");
    const records = await waitForRecords("test.misbehave", 3);
    const told = records.map((one) => [one.status, one.error_code, one.cost_micros]);
    expect(told.sort()).toEqual([
      [200, null, MISBEHAVE_PRICE],
      [422, "validation_failed", 0],
      [500, "internal_error", 0],
    ]);
    expect(records[0]).toMatchObject({
      key_id: team.keyId,
      provider: null,
      input_tokens: 0,
      output_tokens: 0,
    });
  });

  test("never goes over a budget, however many come at once", async () => {
    await stack.admin.expect(200, "PUT", `/v1/teams/${team.teamId}/limits`, {
      limits: [{ unit: "usd", window: "day", max: "0.05" }],
    });
    await eventually(async () => {
      const { data } = await client.expect<{ data: unknown[] }>(200, "GET", "/v1/limits");
      expect(data).toHaveLength(1);
    });
    const answers = await Promise.all(Array.from({ length: 20 }, () => misbehave("answer")));
    const good = answers.filter(({ status }) => status === 200).length;
    expect(good).toBeGreaterThan(0);
    expect(good * MISBEHAVE_PRICE).toBeLessThanOrEqual(50_000);
    await eventually(async () => {
      const refused = await misbehave("answer");
      if (refused.status === 200) return expect.fail("There is money left");
      return expectProblem(refused, 429, "insufficient_quota");
    });
    await eventually(async () => {
      const paid = (await recordsOf("test.misbehave")).filter((one) => one.status === 200);
      expect(paid.length).toBe(5);
    });
    // What costs nothing goes on.
    await client.expect(200, "POST", "/v1/skills/vin.decode", { vin: HONDA });
  });

  test("can be limited for one skill, as for a model", async () => {
    await stack.admin.expect(200, "PUT", `/v1/teams/${team.teamId}/limits`, {
      limits: [{ unit: "requests", window: "day", max: 2, model: "skill:test.misbehave" }],
    });
    await eventually(async () => {
      const answer = await misbehave("answer");
      await expectProblem(answer, 429, "rate_limit_exceeded");
    });
    await client.expect(200, "POST", "/v1/skills/text.count", { text: "a" });
  });

  test("that hangs ends when its time is up, whether it heeds the signal or not", async () => {
    for (const how of ["hang", "heed"]) {
      const problem = await expectProblem(await misbehave(how), 503, "unavailable");
      expect(problem.detail).toContain("within 2 seconds");
    }
  });

  test("says nothing of an unexpected error but the fixed sentence", async () => {
    const problem = await expectProblem(await misbehave("throw"), 500, "internal_error");
    expect(JSON.stringify(problem)).not.toContain("secret-of-the-inside");
    await expectProblem(await misbehave("lie"), 500, "internal_error");
  });

  test("whose client hangs up makes one record and costs nothing", async () => {
    const gone = new AbortController();
    const asked = misbehave("heed", client, gone.signal);
    setTimeout(() => gone.abort(), 300);
    await expect(asked).rejects.toThrow();
    const [record] = await waitForRecords("test.misbehave", 1);
    expect(record?.cost_micros).toBe(0);
    expect([499, 503]).toContain(record?.status); // the runtime on a laptop does not tell of a hang-up, and the time ends it
    await eventually(() =>
      expect(stack.logs.entries.some((line) => line["event"] === "misbehave_heeded")).toBe(true),
    );
  });

  test("under the same Idempotency-Key is made once and charged once", async () => {
    const headers = once();
    const body = { how: "answer", note: "mine" };
    const use = (sent: unknown) =>
      client.request("POST", "/v1/skills/test.misbehave", sent, headers);
    const answers = await Promise.all([use(body), use(body), use(body)]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    const replayed = answers.filter((one) => one.headers.get("idempotent-replayed") === "true");
    expect(replayed).toHaveLength(2);
    const texts = await Promise.all(answers.map((answer) => answer.text()));
    expect(new Set(texts).size).toBe(1);
    const other = await use({ how: "answer", note: "other" });
    await expectProblem(other, 422, "idempotency_mismatch");
    await waitForRecords("test.misbehave", 1);
  });
});

describe("the switch of a team", () => {
  const enabled = async (name: string) =>
    (await client.expect<{ enabled: boolean }>(200, "GET", `/v1/skills/${name}`)).enabled;

  test("ends and brings back a skill within a second, for this team only", async () => {
    const other = await stack.createTeam();
    await misbehave("answer");
    const set = (to: boolean) =>
      client.expect(200, "PUT", "/v1/skills/test.misbehave", { enabled: to });
    expect(await set(false)).toMatchObject({ name: "test.misbehave", enabled: false });
    const since = Date.now();
    await eventually(async () => {
      await expectProblem(await misbehave("answer"), 403, "skill_switched_off");
    });
    expect(Date.now() - since).toBeLessThan(3_000); // a second, and what a busy machine takes
    expect(await enabled("test.misbehave")).toBe(false);
    expect((await misbehave("answer", other.client)).status).toBe(200);
    await set(true);
    await eventually(async () => expect((await misbehave("answer")).status).toBe(200));
  });

  test("is thrown by admins only, and each throw is in the audit log once", async () => {
    const plain = await keyWith(["skills", "chat"]);
    const refused = await plain.request("PUT", "/v1/skills/text.count", { enabled: false });
    await expectProblem(refused, 403, "missing_scope");
    await Promise.all(
      ["text.count", "vin.decode", "text.count", "vin.decode"].map((name) =>
        client.expect(200, "PUT", `/v1/skills/${name}`, { enabled: false }),
      ),
    );
    const { data } = await client.expect<{ data: { target: unknown; before: unknown }[] }>(
      200,
      "GET",
      "/v1/audit?action=skill.set",
    );
    expect(data).toHaveLength(2);
    expect(data[0]).toMatchObject({ before: { enabled: true }, after: { enabled: false } });
    await eventually(async () => expect(await enabled("vin.decode")).toBe(false));
    expect(await enabled("text.count")).toBe(false);
    await expectProblem(
      await client.request("PUT", "/v1/skills/none", { enabled: false }),
      404,
      "not_found",
    );
    await expectInvalid(await client.request("PUT", "/v1/skills/vin.decode", {}), "enabled");
  });
});

describe("GET /v1/skills", () => {
  test("lists each with JSON schemas that a form or a model can use", async () => {
    const { data } = await client.expect<{ data: Record<string, unknown>[] }>(
      200,
      "GET",
      "/v1/skills",
    );
    expect(data.find(({ name }) => name === "text.count")).toEqual({
      name: "text.count",
      title: "Count words",
      summary: expect.stringContaining("Counts the words"),
      enabled: true,
      kind: "answer",
      scope: null,
      read_only: true,
      price: "0.000050",
      command: "count",
      input: {
        type: "object",
        properties: {
          text: { type: "string", maxLength: 10_000, description: "The text to count" },
        },
        required: ["text"],
        additionalProperties: false,
      },
      output: expect.objectContaining({ type: "object", required: ["words", "characters"] }),
    });
    expect(data.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["vin.decode", "test.misbehave", "test.change"]),
    );
  });

  test("is in the OpenAPI document, a path for each skill", async () => {
    const { paths } = await stack
      .client(null)
      .expect<{ paths: Record<string, { post: object }> }>(200, "GET", "/openapi.json");
    expect(paths["/v1/skills/text.count"]?.post).toMatchObject({
      operationId: "postSkillsTextCount",
      summary: "Count words",
      requestBody: { content: { "application/json": { example: { text: "to be or not to be" } } } },
    });
  });
});

describe("while changes are switched off", () => {
  test("a skill that only reads goes on, and one that changes something does not", async () => {
    await stack.admin.expect(200, "PUT", "/v1/admin/switches", { writes: "off" });
    try {
      await eventually(async () => {
        const refused = await client.request("POST", "/v1/skills/test.change", { to: "x" });
        await expectProblem(refused, 503, "read_only");
      });
      await client.expect(200, "POST", "/v1/skills/text.count", { text: "a" });
    } finally {
      await stack.admin.expect(200, "PUT", "/v1/admin/switches", { writes: "on" });
    }
  });
});
