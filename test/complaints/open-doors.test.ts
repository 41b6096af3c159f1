import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { newId } from "#core/kernel/ids.ts";
import { eventually } from "#test/harness/eventually.ts";
import { type Stack, startStack } from "#test/harness/stack.ts";
import { type AnyIssuer, AUDIENCE, startAnyIssuer } from "#test/identity/any-issuer.ts";

/** What users of other gateways complain of: doors that are open to everybody, and doors that cost extra. */

const TEAM = newId("team");
let issuer: AnyIssuer;
let stack: Stack;
beforeAll(async () => {
  issuer = await startAnyIssuer();
  const rule = {
    issuer: issuer.url,
    audience: AUDIENCE,
    team: { from: "team", id: TEAM },
    scopes: { claim: "scope", map: { chat: ["chat"] } },
    end_user: { claim: "sub", prefix: "staff:" },
  };
  stack = await startStack({
    postgres: inject("postgres"),
    vars: { OIDC_ISSUERS: JSON.stringify([rule]) },
  });
  await stack.sql("INSERT INTO teams (id, name) VALUES ($1, 'Staff')", [TEAM]);
});
afterAll(async () => {
  await stack?.stop();
  await issuer?.stop();
});

const MESSAGES = [{ role: "user", content: "Hello" }];
const chat = (key: string, more: object = {}, headers: Record<string, string> = {}) =>
  stack
    .client(key)
    .request(
      "POST",
      "/v1/chat/completions",
      { model: "builtin", messages: MESSAGES, ...more },
      headers,
    );

describe("BerriAI/litellm#24530: what is measured tells nobody about other tenants", () => {
  it("not without a key, wherever one looks", async () => {
    const company = `Quuxwell ${crypto.randomUUID()}`;
    const team = await stack.createTeam({ name: company });
    const user = "jane@quuxwell.example";
    expect((await chat(team.key, { user })).status).toBe(200);
    const nobody = stack.client(null);
    for (const path of [
      "/metrics",
      "/metrics/",
      "/v1/metrics",
      "/ready",
      "/health",
      "/openapi.json",
      "/docs",
      "/gateway/stats",
      "/v1/providers/health",
      "/v1/usage",
      "/v1/limits",
    ]) {
      const response = await nobody.request("GET", path);
      const text = await response.text();
      for (const name of ["Quuxwell", user, team.teamId, team.keyId, team.key.slice(0, 12)])
        expect([path, text.includes(name)]).toEqual([path, false]);
      if (/metrics|stats|usage|limits|providers/.test(path))
        expect([path, [401, 404].includes(response.status)]).toEqual([path, true]);
    }
  });

  it("not with another tenant's key: its statistics are its own, and the total is for super admins", async () => {
    const [mine, theirs] = [await stack.createTeam(), await stack.createTeam()];
    for (let count = 0; count < 3; count++) await (await chat(mine.key)).text();
    for (let count = 0; count < 5; count++) await (await chat(theirs.key, { user: "ann" })).text();
    type Stats = { team_id: string | null; requests: number };
    const own = await eventually(async () => {
      const stats = await mine.client.expect<Stats>(200, "GET", "/gateway/stats");
      expect(stats.requests).toBeGreaterThanOrEqual(3);
      const total = await stack.admin.expect<Stats>(200, "GET", "/gateway/stats");
      expect(total.team_id).toBeNull();
      expect(total.requests).toBeGreaterThanOrEqual(8);
      return stats;
    });
    expect(own).toMatchObject({ team_id: mine.teamId, requests: 3 });
    expect(JSON.stringify(own)).not.toContain(theirs.teamId);
    for (const asked of [`?team_id=${theirs.teamId}`, ""]) {
      const headers = { "x-team-id": theirs.teamId };
      const response = await mine.client.request(
        "GET",
        `/gateway/stats${asked}`,
        undefined,
        headers,
      );
      const text = await response.text();
      expect(text).not.toContain(theirs.teamId);
      if (response.status === 200) expect(JSON.parse(text)).toMatchObject({ requests: 3 });
    }
  });
});

describe("BerriAI/litellm#25762: what a company needs is in the box, for as many people as it has", () => {
  it("signing in by an issuer of OpenID Connect, for more than five people", async () => {
    for (let person = 0; person < 12; person++) {
      const token = await issuer.token({ sub: `person-${person}`, scope: "chat" });
      const response = await chat(token);
      expect([person, response.status]).toEqual([person, 200]);
      await response.text();
    }
    await eventually(async () => {
      const rows = await stack.sql(
        "SELECT DISTINCT end_user FROM usage_records WHERE team_id = $1 AND status = 200",
        [TEAM],
      );
      expect(rows).toHaveLength(12);
    });
  });

  it("lists of addresses, by key and by team", async () => {
    const team = await stack.createTeam();
    const ip_rules = { allow: ["203.0.113.0/24"], deny: [] };
    const made = await team.client.expect<{ key: string }>(201, "POST", "/v1/keys", {
      name: "office",
      ip_rules,
    });
    const from = (address: string) => chat(made.key, {}, { "cf-connecting-ip": address });
    expect((await from("203.0.113.9")).status).toBe(200);
    expect((await from("198.51.100.1")).status).toBe(403);
    await stack.admin.expect(200, "PATCH", `/v1/teams/${team.teamId}`, {
      ip_rules: { allow: [], deny: ["203.0.113.9"] },
    });
    await eventually(async () => expect((await from("203.0.113.9")).status).toBe(403));
  });

  it("the audit log of all changes, with who made them", async () => {
    const team = await stack.createTeam();
    const made = await team.client.expect<{ id: string }>(201, "POST", "/v1/keys", {
      name: "seen",
    });
    await team.client.expect(204, "POST", `/v1/keys/${made.id}/revoke`);
    type Log = { data: { action: string; actor: { id: string }; target: { id: string } }[] };
    const { data } = await team.client.expect<Log>(200, "GET", "/v1/audit");
    const ofKey = data.filter(({ target }) => target.id === made.id);
    expect(ofKey).toHaveLength(2);
    for (const { actor } of ofKey) expect(actor.id).toBe(team.keyId);
  });
});
