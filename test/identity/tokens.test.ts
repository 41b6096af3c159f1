import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { newId } from "#core/kernel/ids.ts";
import { type ApiClient, ownAddress } from "#test/harness/api-client.ts";
import { eventually } from "#test/harness/eventually.ts";
import { startStack, type Stack } from "#test/harness/stack.ts";
import { BACKEND_CLIENT, RESOURCE, type RealProvider, startRealProvider } from "./real-provider.ts";

/** A team whose app signs people in at a real provider, and whose backend gets tokens there too. */
const TEAM = newId("team");

let provider: RealProvider;
let stack: Stack;
let second: Awaited<ReturnType<Stack["startSecondApi"]>>;
beforeAll(async () => {
  provider = await startRealProvider();
  const rule = {
    issuer: provider.issuer,
    audience: RESOURCE,
    team: { from: "team", id: TEAM },
    token_types: ["at+jwt"],
    scopes: {
      claim: "scope",
      map: { chat: ["chat"], sessions: ["sessions"], admin: ["admin"] },
    },
  };
  const rules = [
    { ...rule, clients: [BACKEND_CLIENT], end_user: null },
    { ...rule, end_user: { claim: "sub", prefix: "app:" } },
  ];
  stack = await startStack({
    postgres: inject("postgres"),
    vars: { OIDC_ISSUERS: JSON.stringify(rules) },
  });
  await stack.sql("INSERT INTO teams (id, name) VALUES ($1, 'App')", [TEAM]);
  second = await stack.startSecondApi();
});
afterAll(async () => {
  await second?.stop();
  await stack?.stop();
  await provider?.stop();
});

const HELLO = { model: "builtin", messages: [{ role: "user", content: "Hello" }] };

async function chat(client: ApiClient, more: object = {}): Promise<number> {
  const from = { "cf-connecting-ip": ownAddress() };
  const body = { ...HELLO, ...more };
  const response = await client.request("POST", "/v1/chat/completions", body, from);
  await response.text();
  return response.status;
}

const startSession = (client: ApiClient) =>
  client.expect<{ session_id: string }>(200, "POST", "/v1/chat", { message: "A secret" });

describe("a person who signed in with a mobile app, by authorization code and PKCE", () => {
  let ann: ApiClient;
  let ben: ApiClient;
  beforeAll(async () => {
    ann = stack.client((await provider.signIn("ann")).accessToken);
    ben = stack.client((await provider.signIn("ben")).accessToken);
  });

  it("may do what the token's scopes are mapped to, and nothing else", async () => {
    expect(await chat(ann)).toBe(200);
    const usage = await ann.expect<{ code: string }>(403, "GET", "/v1/usage");
    expect(usage.code).toBe("missing_scope");
    await ann.expect(403, "POST", "/v1/keys", { name: "mine" });
    // What the team is called, and who may reach it, is not an app's user's business.
    await ann.expect(404, "GET", `/v1/teams/${TEAM}`);
    expect(await ann.expect(200, "GET", "/v1/teams")).toMatchObject({ data: [] });
  });

  it("reaches their own kept responses only, which the team's keys reach all", async () => {
    const body = { model: "builtin", input: "A secret", user: "ben" };
    const { id } = await ann.expect<{ id: string }>(200, "POST", "/v1/responses", body);
    await ann.expect(200, "GET", `/v1/responses/${id}`);
    await ben.expect(404, "GET", `/v1/responses/${id}`);
    await ben.expect(404, "GET", `/v1/responses/${id}/input_items`);
    await ben.expect(404, "DELETE", `/v1/responses/${id}`);
    const goingOn = { model: "builtin", input: "Go on", previous_response_id: id };
    await ben.expect(400, "POST", "/v1/responses", goingOn);
    await stack.admin.expect(200, "GET", `/v1/responses/${id}`, undefined, { "x-team-id": TEAM });
    await ann.expect(200, "POST", "/v1/responses", goingOn);
    await ann.expect(200, "DELETE", `/v1/responses/${id}`);
  });

  it("is the end user of what they use, whoever the request names", async () => {
    expect(await chat(ann, { user: "ben" })).toBe(200);
    await eventually(async () => {
      const rows = await stack.sql<{ end_user: string; key_id: string | null }>(
        "SELECT DISTINCT end_user, key_id FROM usage_records WHERE team_id = $1 AND end_user LIKE 'app:ann%'",
        [TEAM],
      );
      expect(rows).toEqual([{ end_user: "app:ann", key_id: null }]);
    });
    const others = await stack.sql("SELECT 1 FROM usage_records WHERE end_user = 'ben'");
    expect(others).toEqual([]);
  });

  it("has sessions that nobody else of the app can find, and finds nobody else's", async () => {
    const { session_id: id } = await startSession(ann);
    await ann.expect(200, "GET", `/v1/sessions/${id}`);
    const session = `/v1/sessions/${id}`;
    const asked: [string, string, object?][] = [
      ["GET", session],
      ["PATCH", session, { title: "Mine now" }],
      ["GET", `${session}/messages`],
      ["POST", `${session}/reset`],
      ["DELETE", session],
      ["POST", "/v1/chat", { message: "What did I say?", session_id: id }],
    ];
    for (const [method, path, body] of asked) {
      const refused = await ben.expect<{ code: string }>(404, method, path, body);
      expect(refused.code).toBe("not_found");
    }
    const list = await ben.expect<{ data: { id: string }[] }>(200, "GET", "/v1/sessions");
    expect(list.data.map((one) => one.id)).not.toContain(id);
    const named = await ben.expect<{ data: unknown[] }>(
      200,
      "GET",
      "/v1/sessions?end_user=app:ann",
    );
    expect(named.data).toEqual([]);
    const after = await ann.expect<{ title: string | null; messages: number }>(200, "GET", session);
    expect(after).toMatchObject({ title: null, messages: 2 });
  });

  it("is held to the limits of end users, each by themselves", async () => {
    const limit = { unit: "requests", window: "hour", max: 2, end_user: "*" };
    const limits = `/v1/teams/${TEAM}/limits`;
    await stack.admin.expect(200, "PUT", limits, { limits: [limit] });
    try {
      // Isolates learn of a limit within a second; each try is another person's.
      await eventually(async () => {
        const token = (await provider.signIn(crypto.randomUUID())).accessToken;
        const client = stack.client(token);
        const asked = [await chat(client), await chat(client), await chat(client, { user: "x" })];
        expect(asked).toEqual([200, 200, 429]);
      });
      expect(await chat(stack.client((await provider.signIn("dan")).accessToken))).toBe(200);
    } finally {
      await stack.admin.expect(200, "PUT", limits, { limits: [] });
    }
  });

  it("cannot use the ID token that came with it", async () => {
    const { idToken } = await provider.signIn("eve");
    const refused = stack.client(idToken).expect<{ code: string }>(401, "GET", "/v1/teams");
    expect((await refused).code).toBe("invalid_token");
  });
});

describe("a backend with client credentials", () => {
  it("acts for its team, and names its own end users", async () => {
    const backend = stack.client(await provider.clientToken("chat sessions"));
    expect(await chat(backend, { user: "customer-7" })).toBe(200);
    await eventually(async () => {
      const rows = await stack.sql("SELECT 1 FROM usage_records WHERE end_user = 'customer-7'");
      expect(rows.length).toBe(1);
    });
    const { session_id: id } = await startSession(
      stack.client((await provider.signIn("fay")).accessToken),
    );
    await backend.expect(200, "GET", `/v1/sessions/${id}`);
  });

  it("is named in the audit log by issuer and subject", async () => {
    const backend = stack.client(await provider.clientToken("admin"));
    const { id } = await backend.expect<{ id: string }>(201, "POST", "/v1/keys", { name: "made" });
    const [entry] = await stack.sql(
      "SELECT actor_kind, actor_id, actor_user FROM audit_entries WHERE target_id = $1",
      [id],
    );
    const who = `${provider.issuer} ${BACKEND_CLIENT}`;
    expect(entry).toEqual({ actor_kind: "token", actor_id: who, actor_user: who });
  });

  it("creates a thing once under an idempotency key, and another bearer's key is another", async () => {
    const backend = stack.client(await provider.clientToken("admin"));
    const headers = { "idempotency-key": "one" };
    const make = (client: ApiClient) =>
      client.expect<{ id: string }>(201, "POST", "/v1/keys", { name: "once" }, headers);
    const first = await make(backend);
    expect(await make(stack.client(await provider.clientToken("admin")))).toEqual(first);
  });

  it("is none of any other team's business, and other teams are none of its", async () => {
    const other = await stack.createTeam();
    const backend = stack.client(await provider.clientToken("admin"));
    const headers = { "x-team-id": other.teamId };
    const refused = await backend.expect<{ detail: string }>(
      404,
      "GET",
      "/v1/keys",
      undefined,
      headers,
    );
    const ghost = { "x-team-id": newId("team") };
    const nothing = await backend.expect<{ detail: string }>(
      404,
      "GET",
      "/v1/keys",
      undefined,
      ghost,
    );
    expect(refused.detail).toBe(nothing.detail);
    await backend.expect(404, "GET", `/v1/teams/${other.teamId}`);
    await backend.expect(200, "GET", "/v1/keys", undefined, { "x-team-id": TEAM });
  });
});

describe("when the provider rotates its keys", () => {
  it("takes tokens of the new key at once in every process, asking for keys once for all of them", async () => {
    const before = await provider.clientToken();
    for (const api of [stack, second]) expect(await chat(api.client(before))).toBe(200);
    await provider.rotateKeys();
    const reads = provider.keyReads();
    const tokens = await Promise.all(Array.from({ length: 20 }, () => provider.clientToken()));
    const statuses = await Promise.all(tokens.map((token) => chat(stack.client(token))));
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(provider.keyReads()).toBe(reads + 1);
    expect(await chat(second.client(tokens[0] ?? null))).toBe(200);
    expect(provider.keyReads()).toBe(reads + 1); // the second process has them from the cache
  });

  it("refuses what the withdrawn key signed, also where it was taken before", async () => {
    const old = await provider.clientToken();
    expect(await chat(stack.client(old))).toBe(200);
    expect(await chat(second.client(old))).toBe(200);
    await provider.rotateKeys();
    await stack.redis.execute([["FLUSHALL"]]);
    await stack.restart(); // an isolate that knows neither the brake nor the keys
    expect(await chat(stack.client(await provider.clientToken()))).toBe(200);
    expect(await chat(stack.client(old))).toBe(401);
  });

  it("asks for invented key ids no more than once in 30 seconds", async () => {
    const good = await provider.clientToken();
    expect(await chat(stack.client(good))).toBe(200);
    const reads = provider.keyReads();
    const [, payload = "", signature = ""] = good.split(".");
    for (let i = 0; i < 10; i++) {
      const header = { alg: "RS256", typ: "at+jwt", kid: `invented-${i}` };
      const text = Buffer.from(JSON.stringify(header)).toString("base64url");
      expect(await chat(stack.client(`${text}.${payload}.${signature}`))).toBe(401);
    }
    expect(provider.keyReads()).toBeLessThanOrEqual(reads + 1);
  });
});

describe("when the provider is down", () => {
  it("goes on with the keys that it gave last, also in processes that start meanwhile", async () => {
    const known = await provider.clientToken();
    expect(await chat(stack.client(known))).toBe(200);
    const fresh = await provider.clientToken();
    provider.setUp(false);
    try {
      expect(await chat(stack.client(known))).toBe(200);
      expect(await chat(stack.client(fresh))).toBe(200);
      await stack.restart();
      expect(await chat(stack.client(fresh))).toBe(200);
    } finally {
      provider.setUp(true);
    }
  });

  it("says that it cannot tell, and not that the token is bad, where it never had keys", async () => {
    const token = await provider.clientToken();
    provider.setUp(false);
    try {
      await stack.redis.execute([["FLUSHALL"]]);
      await stack.restart();
      const client = stack.client(token);
      const refused = await client.expect<{ code: string }>(503, "GET", "/v1/teams");
      expect(refused.code).toBe("unavailable");
      provider.setUp(true);
      await eventually(async () => expect(await chat(client)).toBe(200));
    } finally {
      provider.setUp(true);
    }
  });
});
