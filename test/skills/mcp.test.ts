import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { expectProblem } from "#test/api/problem.ts";
import { eventually } from "#test/harness/eventually.ts";
import type { Stack } from "#test/harness/stack.ts";
import { startWithSkills } from "./skills-stack.ts";

/** The MCP server, as the official client sees it: of this year's protocol, and of the one before. */

const HONDA = "1HGCM82633A004352";
const ERAS = ["legacy", "auto"] as const;
type Era = (typeof ERAS)[number];
let stack: Stack;
let team: Awaited<ReturnType<Stack["createTeam"]>>;

beforeAll(async () => {
  stack = await startWithSkills(inject("postgres"));
  team = await stack.createTeam();
});
afterAll(() => stack?.stop());

async function connect(key: string, era: Era = "auto"): Promise<Client> {
  const client = new Client({ name: "test", version: "1" }, { versionNegotiation: { mode: era } });
  const transport = new StreamableHTTPClientTransport(new URL(`${stack.urls.api}/mcp`), {
    requestInit: { headers: { authorization: `Bearer ${key}` } },
  });
  await client.connect(transport);
  return client;
}
const keyWith = async (scopes: string[]) =>
  (await team.client.expect<{ key: string }>(201, "POST", "/v1/keys", { name: "mcp", scopes })).key;
const textOf = (result: Awaited<ReturnType<Client["callTool"]>>) =>
  result.content.map((part) => (part.type === "text" ? part.text : "")).join("");
const sql = (model: string) =>
  stack.sql<{ status: number; cost_micros: number; key_id: string; id: string }>(
    `SELECT id, status, cost_micros::int AS cost_micros, key_id FROM usage_records WHERE team_id = $1 AND model = $2`,
    [team.teamId, model],
  );

describe.each(ERAS)("a client of the era %s", (era) => {
  test("finds the skills as tools, with schemas and hints", async () => {
    const client = await connect(team.key, era);
    expect(client.getServerVersion()).toMatchObject({ name: "switchyard" });
    const { tools } = await client.listTools();
    const tool = tools.find(({ name }) => name === "text_count");
    expect(tool).toMatchObject({
      title: "Count words",
      description: expect.stringContaining("Counts the words"),
      inputSchema: { type: "object", required: ["text"] },
      outputSchema: { type: "object", required: ["words", "characters"] },
      annotations: { readOnlyHint: true },
    });
    expect(tools.find(({ name }) => name === "test_change")?.annotations?.readOnlyHint).toBe(false);
    expect(tools.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["vin_decode", "job_read", "test_count_slowly"]),
    );
    await client.close();
  });

  test("calls one, and gets its answer as data that its schema describes", async () => {
    const client = await connect(team.key, era);
    await client.listTools(); // from then on the client holds answers to their schemas
    const counted = await client.callTool({ name: "text_count", arguments: { text: "a b c" } });
    expect(counted.structuredContent).toEqual({ words: 3, characters: 5 });
    expect(JSON.parse(textOf(counted))).toEqual({ words: 3, characters: 5 });
    const vin = await client.callTool({ name: "vin_decode", arguments: { vin: HONDA } });
    expect(vin.structuredContent).toMatchObject({ make: "Honda", model: "Accord", year: 2003 });
    await client.close();
  });

  test("is told what is wrong with an input, by its path", async () => {
    const client = await connect(team.key, era);
    const wrong = await client.callTool({ name: "text_count", arguments: { txt: "a" } });
    expect(wrong.isError).toBe(true);
    expect(textOf(wrong)).toMatch(/- text: .*\n?.*txt|- txt: .*\n?.*text/s);
    const vin = await client.callTool({ name: "vin_decode", arguments: { vin: "123" } });
    expect(textOf(vin)).toContain("17 characters");
    await expect(client.callTool({ name: "none", arguments: {} })).rejects.toThrow(/no tool none/);
    await client.close();
  });

  test("is told of a tool that fails or hangs, and nothing of its inside", async () => {
    const client = await connect(team.key, era);
    const thrown = await client.callTool({ name: "test_misbehave", arguments: { how: "throw" } });
    expect(thrown.isError).toBe(true);
    expect(textOf(thrown)).toContain("internal_error");
    expect(textOf(thrown)).not.toContain("secret-of-the-inside");
    const hung = await client.callTool({ name: "test_misbehave", arguments: { how: "hang" } });
    expect(textOf(hung)).toContain("within 2 seconds");
    await client.close();
  });

  test("follows a job, hears how far it is, and gets what came of it", async () => {
    const client = await connect(team.key, era);
    const heard: number[] = [];
    const result = await client.callTool(
      { name: "test_count_slowly", arguments: { count: 8, pause_ms: 700 } },
      { timeout: 90_000, onprogress: ({ progress }) => void heard.push(progress) },
    );
    expect(result.structuredContent).toMatchObject({
      job_id: expect.stringMatching(/^job_/),
      state: "succeeded",
      ended: true,
      result: { counted: 8 },
      files: [{ name: "numbers.csv", url: expect.stringContaining("/results/numbers.csv") }],
    });
    expect(heard.length).toBeGreaterThan(1);
    expect([...heard].sort((one, other) => one - other)).toEqual(heard);
    const { job_id: id } = result.structuredContent as { job_id: string }; // as checked above
    const read = await client.callTool({ name: "job_read", arguments: { job_id: id } });
    expect(read.structuredContent).toMatchObject({ job_id: id, state: "succeeded" });
    const none = await client.callTool({ name: "job_read", arguments: { job_id: "job_none" } });
    expect(textOf(none)).toContain("not_found");
    await client.close();
  });
});

describe("the rights of a client", () => {
  test("are its key's: without one, with a wrong one or a wrong scope there is nothing", async () => {
    await expect(connect("sy_live_wrong")).rejects.toThrow();
    const post = (headers: Record<string, string>, key: string | null = null) =>
      stack.client(key).request("POST", "/mcp", { jsonrpc: "2.0", id: 1, method: "ping" }, headers);
    await expectProblem(await post({}), 401, "missing_api_key");
    await expectProblem(await post({}, "wrong"), 401, "invalid_api_key");
    await expectProblem(await post({}, await keyWith(["chat"])), 403, "missing_scope");
    const revoked = await team.client.expect<{ id: string; key: string }>(201, "POST", "/v1/keys", {
      name: "revoked",
      scopes: ["skills"],
    });
    await team.client.expect(204, "POST", `/v1/keys/${revoked.id}/revoke`);
    await eventually(async () =>
      expectProblem(await post({}, revoked.key), 401, "revoked_api_key"),
    );
  });

  test("leave out tools that need more, and calling them all the same is refused", async () => {
    const client = await connect(await keyWith(["skills"]));
    const { tools } = await client.listTools();
    const names = tools.map(({ name }) => name);
    expect(names).toContain("text_count");
    expect(names).not.toContain("test_change");
    expect(names).not.toContain("job_read");
    const refused = await client.callTool({ name: "test_change", arguments: { to: "x" } });
    expect(refused.isError).toBe(true);
    expect(textOf(refused)).toContain("missing_scope");
    const job = await client.callTool({ name: "test_count_slowly", arguments: { count: 1 } });
    expect(textOf(job)).toContain("missing_scope");
    await client.close();
  });

  test("end for a skill that the team switches off, within a second", async () => {
    const client = await connect(team.key);
    await team.client.expect(200, "PUT", "/v1/skills/text.count", { enabled: false });
    try {
      await eventually(async () => {
        const { tools } = await client.listTools(undefined, { cacheMode: "bypass" });
        expect(tools.map(({ name }) => name)).not.toContain("text_count");
      });
      const refused = await client.callTool({ name: "text_count", arguments: { text: "a" } });
      expect(textOf(refused)).toContain("skill_switched_off");
    } finally {
      await team.client.expect(200, "PUT", "/v1/skills/text.count", { enabled: true });
    }
    await client.close();
  });

  test("do not reach another team's job", async () => {
    const other = await stack.createTeam();
    const job = await other.client.expect<{ id: string }>(202, "POST", "/v1/jobs", {
      type: "self_test",
      input: { count: 1 },
    });
    const client = await connect(team.key);
    const read = await client.callTool({ name: "job_read", arguments: { job_id: job.id } });
    expect(textOf(read)).toContain("not_found");
    await client.close();
  });
});

describe("the server", () => {
  const rpc = (method: string, params: object = {}) => ({ jsonrpc: "2.0", id: 1, method, params });
  const accept = { accept: "application/json, text/event-stream" };

  test("refuses pages of origins that nobody allowed, before anything is done", async () => {
    const before = (await sql("skill:text.count")).length;
    const body = rpc("tools/call", { name: "text_count", arguments: { text: "a" } });
    const answer = await team.client.request("POST", "/mcp", body, {
      ...accept,
      origin: "https://evil.example",
    });
    await expectProblem(answer, 403, "origin_not_allowed");
    expect((await sql("skill:text.count")).length).toBe(before);
  });

  test("keeps no sessions: GET and DELETE are 405", async () => {
    for (const method of ["GET", "DELETE"]) {
      const answer = await team.client.request(method, "/mcp", undefined, accept);
      expect(answer.status).toBe(405);
    }
    const first = await team.client.request(
      "POST",
      "/mcp",
      rpc("initialize", {
        protocolVersion: "2025-06-18",
        capabilities: {},
        clientInfo: { name: "plain", version: "1" },
      }),
      accept,
    );
    expect(first.status).toBe(200);
    expect(first.headers.get("mcp-session-id")).toBeNull();
    expect(await first.text()).toContain("2025-06-18");
  });

  test("answers what is no message of the protocol with an error of the protocol", async () => {
    const bodies = ["{", "[]", "null", '{"jsonrpc":"1.0"}', '{"jsonrpc":"2.0","id":1,"method":5}'];
    for (const body of bodies) {
      const answer = await team.client.request("POST", "/mcp", body, accept);
      const text = await answer.text();
      expect(`${answer.status} ${text}`).toMatch(/^4\d\d .*"error"/s);
    }
    const version = { ...accept, "mcp-protocol-version": "1999-01-01" };
    const old = await team.client.request("POST", "/mcp", rpc("tools/list"), version);
    expect(old.status).toBe(400);
    const plain = await team.client.request("POST", "/mcp", rpc("tools/list"), {
      "content-type": "text/plain",
      ...accept,
    });
    expect(plain.status).toBeGreaterThanOrEqual(400);
  });

  test("counts each call as a use of its own, and charges it once", async () => {
    const before = (await sql("skill:test.misbehave")).length;
    const client = await connect(team.key);
    await Promise.all(
      Array.from({ length: 5 }, () =>
        client.callTool({ name: "test_misbehave", arguments: { how: "answer" } }),
      ),
    );
    await client.close();
    const records = await eventually(async () => {
      const rows = await sql("skill:test.misbehave");
      expect(rows).toHaveLength(before + 5);
      return rows;
    });
    const paid = records.filter(({ cost_micros: micros }) => micros === 10_000);
    expect(paid.length).toBeGreaterThanOrEqual(5);
    expect(paid.every(({ key_id: id }) => id === team.keyId)).toBe(true);
  });

  test("lets a client cancel a call, and ends what was called for it", async () => {
    const client = await connect(team.key);
    const cancel = new AbortController();
    const call = client.callTool(
      { name: "test_misbehave", arguments: { how: "heed" } },
      { signal: cancel.signal },
    );
    setTimeout(() => cancel.abort("enough"), 300);
    await expect(call).rejects.toThrow();
    await eventually(() =>
      expect(stack.logs.entries.some(({ event }) => event === "misbehave_heeded")).toBe(true),
    );
    const next = await client.callTool({ name: "text_count", arguments: { text: "a" } });
    expect(next.structuredContent).toEqual({ words: 1, characters: 1 });
    await client.close();
  });
});
