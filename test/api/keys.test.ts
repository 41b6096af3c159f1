import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { isWellFormedApiKey } from "#core/keys/api-key.ts";
import type { ApiClient } from "#test/harness/api-client.ts";
import { type Stack, startStack } from "#test/harness/stack.ts";
import { expectInvalid, expectProblem } from "./problem.ts";

interface Key {
  id: string;
  key: string;
  prefix: string;
  [field: string]: unknown;
}

let stack: Stack;
let team: Awaited<ReturnType<Stack["createTeam"]>>;
let owner: ApiClient;

beforeAll(async () => {
  stack = await startStack({ postgres: inject("postgres"), workers: ["api"] });
  team = await stack.createTeam();
  owner = team.client;
});
afterAll(() => stack?.stop());

const createKey = (body: object, client = owner) =>
  client.expect<Key>(201, "POST", "/v1/keys", { name: "k", ...body });
const hour = 3_600_000;
const inAnHour = () => new Date(Date.now() + hour).toISOString();

describe("a new key", () => {
  test("is shown once, stored as a hash, and works", async () => {
    const made = await createKey({
      name: " ci ",
      scopes: ["chat", "usage:read", "chat"],
      models: ["gpt-4o-mini", "meta-llama/llama-3:free"],
      expires_at: "2999-01-01T00:00:00+02:00",
      ip_rules: { allow: ["203.0.113.0/24", " 2001:DB8::/32 ", "203.0.113.0/24"] },
      metadata: { owner: "platform", nested: { list: [1, null, "تست"] } },
    });
    expect(isWellFormedApiKey(made.key)).toBe(true);
    const { key, ...shown } = made;
    expect(shown).toEqual({
      id: expect.stringMatching(/^key_/),
      name: "ci",
      team_id: team.teamId,
      prefix: key.slice(0, 12),
      scopes: ["chat", "usage:read"],
      models: ["gpt-4o-mini", "meta-llama/llama-3:free"],
      metadata: { owner: "platform", nested: { list: [1, null, "تست"] } },
      ip_rules: { allow: ["203.0.113.0/24", "2001:db8::/32"], deny: [] },
      enabled: true,
      cache: null,
      expires_at: "2998-12-31T22:00:00.000Z",
      revoked_at: null,
      previous_expires_at: null,
      created_by: `key:${team.keyId}`,
      created_at: expect.any(String),
      updated_at: expect.any(String),
      limits: [],
    });
    expect(await owner.expect(200, "GET", `/v1/keys/${made.id}`)).toEqual(shown);
    const rows = await stack.sql("SELECT * FROM api_keys WHERE id = $1", [made.id]);
    expect(JSON.stringify(rows)).not.toContain(key);
    await stack.client(key).expect(200, "GET", "/v1/keys/verify", undefined, {
      "cf-connecting-ip": "203.0.113.7",
    });
  });

  test("gets the default scopes and all models when nothing is said", async () => {
    expect(await createKey({})).toMatchObject({
      scopes: ["chat", "sessions", "jobs", "skills", "usage:read"],
      models: ["*"],
      metadata: {},
      expires_at: null,
      enabled: true,
    });
  });

  test("may be made in a named team by a super admin only", async () => {
    const other = await stack.createTeam();
    const forOther = { name: "k", team_id: other.teamId };
    expect(await createKey(forOther, stack.admin)).toMatchObject({ team_id: other.teamId });
    await expectProblem(await owner.request("POST", "/v1/keys", forOther), 403, "forbidden");
    expect(await createKey({ team_id: team.teamId })).toMatchObject({ team_id: team.teamId });
    const headers = { "x-team-id": other.teamId };
    const made = await stack.admin.expect(201, "POST", "/v1/keys", { name: "k" }, headers);
    expect(made).toMatchObject({ team_id: other.teamId });
    const elsewhere = { name: "k", team_id: team.teamId };
    await expectProblem(
      await stack.admin.request("POST", "/v1/keys", elsewhere, headers),
      404,
      "not_found",
    );
  });

  test("needs a team that a super admin names and that exists", async () => {
    await expectInvalid(await stack.admin.request("POST", "/v1/keys", { name: "k" }), "team_id");
    for (const team_id of ["team_00000000000000000000000000", "nonsense", ""]) {
      const response = await stack.admin.request("POST", "/v1/keys", { name: "k", team_id });
      await expectProblem(response, 404, "not_found");
    }
  });
});

describe("bodies that are not right", () => {
  test.each<[string, object, string]>([
    ["no name", { name: undefined }, "name"],
    ["an empty name", { name: "  " }, "name"],
    ["a long name", { name: "x".repeat(201) }, "name"],
    ["a number as the name", { name: 7 }, "name"],
    ["a name with a line break", { name: "a\nb" }, "name"],
    ["a name with NUL", { name: "a\u0000b" }, "name"],
    ["a name with half a character", { name: "a\ud800" }, "name"],
    ["an unknown scope", { scopes: ["chat", "root"] }, "scopes.1"],
    ["no scope", { scopes: [] }, "scopes"],
    ["a scope that is no list", { scopes: "chat" }, "scopes"],
    ["a null for scopes", { scopes: null }, "scopes"],
    ["a pattern of models", { models: ["gpt-*"] }, "models.0"],
    ["an empty model", { models: [""] }, "models.0"],
    ["too many models", { models: Array.from({ length: 201 }, (_, i) => `m${i}`) }, "models"],
    ["an end in the past", { expires_at: "2020-01-01T00:00:00Z" }, "expires_at"],
    ["an end without a zone", { expires_at: "2999-01-01T00:00:00" }, "expires_at"],
    ["an end on no day", { expires_at: "2999-02-30T00:00:00Z" }, "expires_at"],
    ["an end as a number", { expires_at: 32503680000 }, "expires_at"],
    ["metadata that is a list", { metadata: [1] }, "metadata"],
    ["metadata over 4096 bytes", { metadata: { a: "x".repeat(4096) } }, "metadata"],
    ["metadata that is deep", { metadata: { a: { b: { c: { d: { e: {} } } } } } }, "metadata"],
    ["metadata with NUL", { metadata: { a: "\u0000" } }, "metadata"],
    ["enabled as a text", { enabled: "yes" }, "enabled"],
    ["an unknown field", { role: "root" }, "role"],
  ])("%s: 422 that names the field, and nothing is made", async (_, body, path) => {
    const before = await stack.sql("SELECT count(*) FROM api_keys");
    await expectInvalid(await owner.request("POST", "/v1/keys", { name: "k", ...body }), path);
    expect(await stack.sql("SELECT count(*) FROM api_keys")).toEqual(before);
  });

  test("limits are refused where they are not changed, with a sentence that says where they are", async () => {
    const limits = [{ unit: "requests", window: "minute", max: 1 }];
    const { id } = await createKey({});
    for (const [method, path, body] of [
      ["PATCH", `/v1/keys/${id}`, { limits: [] }],
      ["POST", `/v1/keys/${id}/rotate`, { limits }],
      ["PATCH", `/v1/teams/${team.teamId}`, { limits }],
    ] as const) {
      const problem = await expectInvalid(await owner.request(method, path, body), "limits");
      expect(problem.detail).toContain("by PUT");
    }
  });

  test("metadata nested a million levels deep is refused, not a crash", async () => {
    const deep = `{"name":"k","metadata":${'{"a":'.repeat(1_000_000)}1${"}".repeat(1_000_000)}}`;
    await expectInvalid(await owner.request("POST", "/v1/keys", deep), "metadata");
  });

  test("an answer lists at most 50 faults, and cuts long names of fields", async () => {
    const body = Object.fromEntries(
      Array.from({ length: 10_000 }, (_, i) => [`${i}${"x".repeat(500)}`, 1]),
    );
    const response = await owner.request("POST", "/v1/keys", { name: "k", ...body });
    const { errors } = await expectProblem(response, 422, "validation_failed");
    expect(errors).toHaveLength(50);
    expect(errors?.every((error) => error.path.length <= 100)).toBe(true);
  });
});

describe("changing a key", () => {
  test("leaves what is not named, and clears what is null", async () => {
    const made = await createKey({ metadata: { a: 1 }, expires_at: inAnHour(), scopes: ["chat"] });
    const path = `/v1/keys/${made.id}`;
    expect(await owner.expect(200, "PATCH", path, {})).toMatchObject({
      name: "k",
      scopes: ["chat"],
      metadata: { a: 1 },
      expires_at: made["expires_at"],
    });
    const changed = await owner.expect(200, "PATCH", path, {
      name: "other",
      models: ["m"],
      metadata: { b: 2 },
      expires_at: null,
    });
    expect(changed).toMatchObject({
      name: "other",
      models: ["m"],
      metadata: { b: 2 },
      expires_at: null,
      scopes: ["chat"],
    });
    expect(changed).not.toHaveProperty("key");
    expect(await owner.expect(200, "PATCH", path, { metadata: null })).toMatchObject({
      metadata: {},
    });
    expect(await owner.expect(200, "GET", path)).toMatchObject({ name: "other", metadata: {} });
  });

  test.each(["name", "scopes", "models", "enabled"])("%s cannot be null", async (field) => {
    const { id } = await createKey({});
    await expectInvalid(await owner.request("PATCH", `/v1/keys/${id}`, { [field]: null }), field);
  });

  test("cannot move it to another team or change what it is", async () => {
    const { id } = await createKey({});
    for (const field of ["team_id", "id", "key", "hash", "prefix", "revoked_at"]) {
      const response = await owner.request("PATCH", `/v1/keys/${id}`, { [field]: "x" });
      await expectInvalid(response, field);
    }
  });
});

describe("lists of keys", () => {
  test("come in pages, the newest first, each key once", async () => {
    const { client, teamId, keyId } = await stack.createTeam();
    const made = [keyId];
    for (let i = 0; i < 4; i++) made.unshift((await createKey({ name: `k${i}` }, client)).id);
    const seen: string[] = [];
    let cursor: string | null = "";
    let pages = 0;
    while (cursor !== null) {
      type Answer = { data: Key[]; next_cursor: string | null };
      const query: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const page: Answer = await client.expect(200, "GET", `/v1/keys?limit=2${query}`);
      expect(page.data.every((key) => !("key" in key) && !("hash" in key))).toBe(true);
      seen.push(...page.data.map((key) => key.id));
      cursor = page.next_cursor;
      pages++;
    }
    expect(seen.toSorted()).toEqual(made.toSorted());
    expect(pages).toBe(3);
    const byAdmin = await stack.admin.expect<{ data: Key[] }>(
      200,
      "GET",
      `/v1/keys?team_id=${teamId}`,
    );
    expect(byAdmin.data.map((key) => key.id).toSorted()).toEqual(made.toSorted());
    const all = await stack.admin.expect<{ data: Key[] }>(200, "GET", "/v1/keys?limit=200");
    expect(new Set(all.data.map((key) => key["team_id"])).size).toBeGreaterThan(1);
  });

  test.each(["limit=0", "limit=201", "limit=x", "limit=1.5", "limit="])(
    "%s is refused",
    async (query) => {
      await expectInvalid(await owner.request("GET", `/v1/keys?${query}`), "limit");
    },
  );

  test.each(["x", btoa('["\\u0000"]'), btoa("[1,2]"), "%00", "x".repeat(501)])(
    "a cursor that no list gave is refused: %s",
    async (cursor) => {
      const response = await owner.request("GET", `/v1/keys?cursor=${encodeURIComponent(cursor)}`);
      expect([400, 422]).toContain(response.status);
    },
  );
});

describe("keys that are not there", () => {
  test.each([
    "key_00000000000000000000000000",
    "nonsense",
    "key_%00",
    "%F0%9F%98%80",
    "team_00000000000000000000000000",
    "key_00000000000000000000000000'--",
  ])("%s is 404 in every route", async (id) => {
    for (const [method, path, body] of [
      ["GET", `/v1/keys/${id}`, undefined],
      ["PATCH", `/v1/keys/${id}`, { name: "x" }],
      ["DELETE", `/v1/keys/${id}`, undefined],
      ["POST", `/v1/keys/${id}/rotate`, {}],
      ["POST", `/v1/keys/${id}/revoke`, undefined],
    ] as const) {
      await expectProblem(await owner.request(method, path, body), 404, "not_found");
    }
  });
});

describe("a key about itself", () => {
  test("is told everything but its secret", async () => {
    const made = await createKey({ scopes: ["usage:read"], metadata: { a: 1 } });
    expect(await stack.client(made.key).expect(200, "GET", "/v1/keys/verify")).toEqual({
      kind: "key",
      id: made.id,
      name: "k",
      team_id: team.teamId,
      team: { id: team.teamId, name: "Test team" },
      scopes: ["usage:read"],
      models: ["*"],
      metadata: { a: 1 },
      enabled: true,
      prefix: made.prefix,
      expires_at: null,
      created_at: made["created_at"],
    });
  });

  test("works for a super admin, of whose key nothing is shown", async () => {
    const facts = await stack.admin.expect(200, "GET", "/v1/keys/verify");
    expect(facts).toMatchObject({ kind: "super_admin", id: null, prefix: null, team: null });
    const headers = { "x-team-id": team.teamId };
    const forTeam = await stack.admin.expect(200, "GET", "/v1/keys/verify", undefined, headers);
    expect(forTeam).toMatchObject({ kind: "super_admin", team_id: team.teamId });
  });
});

describe("nobody hands out more than they have", () => {
  const limited = async () =>
    stack.client((await createKey({ scopes: ["admin"], models: ["small"] })).key);

  test("a key without the scope admin manages nothing", async () => {
    const { key } = await createKey({
      scopes: ["chat", "sessions", "jobs", "skills", "usage:read"],
    });
    const weak = stack.client(key);
    for (const [method, path, body] of [
      ["GET", "/v1/keys", undefined],
      ["POST", "/v1/keys", { name: "k", scopes: ["chat"] }],
      ["GET", `/v1/keys/${team.keyId}`, undefined],
      ["PATCH", `/v1/keys/${team.keyId}`, { scopes: ["admin"] }],
      ["POST", `/v1/keys/${team.keyId}/rotate`, {}],
      ["POST", `/v1/keys/${team.keyId}/revoke`, undefined],
      ["DELETE", `/v1/keys/${team.keyId}`, undefined],
      ["PATCH", `/v1/teams/${team.teamId}`, { name: "mine" }],
      ["GET", `/v1/teams/${team.teamId}/members`, undefined],
    ] as const) {
      await expectProblem(await weak.request(method, path, body), 403, "missing_scope");
    }
    const self = await weak.expect<Key>(200, "GET", "/v1/keys/verify");
    await expectProblem(
      await weak.request("PATCH", `/v1/keys/${self.id}`, { scopes: ["admin"] }),
      403,
      "missing_scope",
    );
  });

  test("a key with some models gives those, by default and at most", async () => {
    const client = await limited();
    expect(await createKey({}, client)).toMatchObject({ models: ["small"] });
    expect(await createKey({ models: [] }, client)).toMatchObject({ models: [] });
    for (const models of [["*"], ["large"], ["small", "large"]]) {
      const response = await client.request("POST", "/v1/keys", { name: "k", models });
      await expectProblem(response, 403, "forbidden");
    }
  });

  test("nor does it widen itself or another key", async () => {
    const client = await limited();
    const { id } = await client.expect<Key>(200, "GET", "/v1/keys/verify");
    const { id: otherId } = await createKey({ models: [] });
    for (const target of [id, otherId]) {
      const response = await client.request("PATCH", `/v1/keys/${target}`, { models: ["*"] });
      await expectProblem(response, 403, "forbidden");
    }
  });

  test("nor does it get the secret of a stronger key by rotating it", async () => {
    const strong = await createKey({ models: ["*"] });
    const client = await limited();
    const response = await client.request("POST", `/v1/keys/${strong.id}/rotate`, {});
    await expectProblem(response, 403, "forbidden");
    await stack.client(strong.key).expect(200, "GET", "/v1/keys/verify");
    expect(await owner.expect(200, "GET", `/v1/keys/${strong.id}`)).toMatchObject({
      prefix: strong.prefix,
      previous_expires_at: null,
    });
    const { id } = await client.expect<Key>(200, "GET", "/v1/keys/verify");
    await client.expect(200, "POST", `/v1/keys/${id}/rotate`, {});
  });

  test("what a key has made is found by its maker, also by what it made in turn", async () => {
    const first = await createKey({ scopes: ["admin"] });
    const second = await stack.client(first.key).expect<Key>(201, "POST", "/v1/keys", {
      name: "left behind",
      scopes: ["admin"],
    });
    const madeBy = async (id: string) => {
      const path = `/v1/keys?created_by=${encodeURIComponent(`key:${id}`)}`;
      const { data } = await owner.expect<{ data: Key[] }>(200, "GET", path);
      return data.map((key) => key.id);
    };
    expect(await madeBy(first.id)).toEqual([second.id]);
    expect(await madeBy(second.id)).toEqual([]);
    const { data } = await owner.expect<{ data: { id: string; created_by: string }[] }>(
      200,
      "GET",
      "/v1/keys?created_by=super_admin",
    );
    expect(data).toMatchObject([{ id: team.keyId, created_by: "super_admin" }]);
  });

  test("no key reaches what is for super admins", async () => {
    for (const [method, path, body] of [
      ["POST", "/v1/teams", { name: "t" }],
      ["DELETE", `/v1/teams/${team.teamId}`, undefined],
      ["GET", "/v1/admin/providers", undefined],
      ["PUT", "/v1/admin/providers/p", { base_url: "https://api.openai.com/v1" }],
      ["DELETE", "/v1/admin/providers/p", undefined],
      ["GET", "/v1/admin/models", undefined],
      ["PUT", "/v1/admin/models/m", { targets: [{ provider: "p", model: "m" }] }],
      ["DELETE", "/v1/admin/models/m", undefined],
    ] as const) {
      const headers = { "x-team-id": team.teamId };
      await expectProblem(await owner.request(method, path, body, headers), 403, "forbidden");
    }
  });
});
