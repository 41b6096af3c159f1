import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { newId } from "#core/kernel/ids.ts";
import type { ApiClient } from "#test/harness/api-client.ts";
import { eventually } from "#test/harness/eventually.ts";
import { startStack, type Stack } from "#test/harness/stack.ts";
import { type AnyIssuer, AUDIENCE, startAnyIssuer } from "./any-issuer.ts";

const TEAM = newId("team");

/** Two issuers whose people use one team's app; in both there is an ann. */
let issuer: AnyIssuer;
let partner: AnyIssuer;
let stack: Stack;
beforeAll(async () => {
  issuer = await startAnyIssuer();
  partner = await startAnyIssuer();
  const rule = {
    audience: AUDIENCE,
    team: { from: "team", id: TEAM },
    scopes: ["chat", "sessions", "usage:read"],
    models: ["builtin"],
  };
  const rules = [
    { ...rule, issuer: issuer.url },
    { ...rule, issuer: partner.url, end_user: { claim: ["profile", "id"], prefix: "partner:" } },
  ];
  stack = await startStack({
    postgres: inject("postgres"),
    vars: { OIDC_ISSUERS: JSON.stringify(rules) },
  });
  await stack.sql("INSERT INTO teams (id, name) VALUES ($1, 'App')", [TEAM]);
});
afterAll(async () => {
  await stack?.stop();
  await Promise.all([issuer?.stop(), partner?.stop()]);
});

const userOf = async (sub: string) => stack.client(await issuer.token({ sub }));
const userOfPartner = async (id: unknown) =>
  stack.client(await partner.token({ sub: "same-for-all", profile: { id } }));

const ask = (client: ApiClient, more: object = {}, headers: Record<string, string> = {}) =>
  client.request(
    "POST",
    "/v1/chat/completions",
    { model: "builtin", messages: [{ role: "user", content: "Hello" }], ...more },
    headers,
  );

describe("a user of an app", () => {
  it("is who the token says, whatever the request says in its body or headers", async () => {
    const ann = await userOf("ann");
    const answers = await Promise.all([
      ask(ann),
      ask(ann, { user: "ben" }),
      ask(ann, {}, { "x-end-user": "ben" }),
    ]);
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200]);
    await eventually(async () => {
      const rows = await stack.sql(
        "SELECT end_user, count(*)::int AS requests FROM usage_records WHERE team_id = $1 GROUP BY 1",
        [TEAM],
      );
      expect(rows).toEqual([{ end_user: "ann", requests: 3 }]);
    });
  });

  it("sees their own usage, and nothing of others or the team's", async () => {
    const ben = await userOf("ben");
    expect((await ask(ben)).status).toBe(200);
    await eventually(async () => {
      const own = await ben.expect<{ data: { end_user: string }[] }>(
        200,
        "GET",
        "/v1/usage/records",
      );
      expect(own.data.map((record) => record.end_user)).toEqual(["ben"]);
    });
    const asked = await ben.expect<{ data: unknown[] }>(
      200,
      "GET",
      "/v1/usage/records?end_user=ann",
    );
    expect(JSON.stringify(asked)).not.toContain('"ann"');
    const sums = await ben.expect(200, "GET", "/v1/usage?group_by=end_user");
    expect(JSON.stringify(sums)).not.toContain('"ann"');
    await ben.expect(403, "GET", "/gateway/stats");
  });

  it("finds nobody else's kept responses, and cannot go on from them", async () => {
    const ann = await userOf("ann");
    const ben = await userOf("ben");
    const say = (client: ApiClient, more: object = {}) =>
      client.request("POST", "/v1/responses", { model: "builtin", input: "Secret", ...more });
    const { id } = (await (await say(ann)).json()) as { id: string }; // OpenAI's response
    await eventually(() => ann.expect(200, "GET", `/v1/responses/${id}`));
    await ben.expect(404, "GET", `/v1/responses/${id}`);
    await ben.expect(404, "GET", `/v1/responses/${id}/input_items`);
    await ben.expect(404, "DELETE", `/v1/responses/${id}`);
    expect((await say(ben, { previous_response_id: id })).status).toBeGreaterThanOrEqual(400);
    expect((await say(ann, { previous_response_id: id })).status).toBe(200);
  });

  it("may use the rule's models only", async () => {
    const refused = await ask(await userOf("ann"), { model: "another" });
    expect([403, 404]).toContain(refused.status);
    expect(((await refused.json()) as { error: { code: string } }).error.code).toMatch(
      /model_not_(allowed|found)/,
    );
  });
});

describe("users of two issuers in one team", () => {
  it("are kept apart by the prefix of a rule, also where they have one name", async () => {
    const ann = await userOf("ann");
    const other = await userOfPartner("ann");
    const { session_id: id } = await ann.expect<{ session_id: string }>(200, "POST", "/v1/chat", {
      message: "Mine",
    });
    await other.expect(404, "GET", `/v1/sessions/${id}`);
    const { session_id: theirs } = await other.expect<{ session_id: string }>(
      200,
      "POST",
      "/v1/chat",
      { message: "Mine" },
    );
    const session = await other.expect(200, "GET", `/v1/sessions/${theirs}`);
    expect(session).toMatchObject({ end_user: "partner:ann" });
    await ann.expect(404, "GET", `/v1/sessions/${theirs}`);
  });

  it.each([undefined, "", 7, null, ["ann"], { a: 1 }, "x".repeat(201), "a\nb"])(
    "are not let in without a fit claim for who they are: %j",
    async (id) => {
      const refused = await (
        await userOfPartner(id)
      ).expect<{ code: string }>(401, "GET", "/v1/usage");
      expect(refused.code).toBe("invalid_token");
    },
  );
});
