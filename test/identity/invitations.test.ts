import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { type ApiClient, ownAddress } from "#test/harness/api-client.ts";
import { eventually } from "#test/harness/eventually.ts";
import { startStack, type Stack } from "#test/harness/stack.ts";
import { newId } from "#core/kernel/ids.ts";
import { type AnyIssuer, AUDIENCE, startAnyIssuer } from "./any-issuer.ts";
import { RESOURCE, type RealProvider, startRealProvider } from "./real-provider.ts";

/** People who sign in at a real provider, and are in teams only by invitations. */
let provider: RealProvider;
/** One that says e-mails, and has rules of its own for some of its clients. */
let mailing: AnyIssuer;
let stack: Stack;
let second: Awaited<ReturnType<Stack["startSecondApi"]>>;
beforeAll(async () => {
  provider = await startRealProvider();
  mailing = await startAnyIssuer();
  const rule = {
    issuer: provider.issuer,
    audience: RESOURCE,
    team: { from: "membership" },
    token_types: ["at+jwt"],
  };
  const own = { issuer: mailing.url, audience: AUDIENCE };
  const rules = [
    rule,
    {
      ...own,
      clients: ["app"],
      team: { from: "team", id: newId("team") },
      scopes: ["chat"],
    },
    { ...own, clients: ["branch"], team: { from: "membership", teams: [newId("team")] } },
    { ...own, team: { from: "membership" } },
  ];
  stack = await startStack({
    postgres: inject("postgres"),
    workers: ["api"],
    vars: { OIDC_ISSUERS: JSON.stringify(rules), PUBLIC_URL: "https://api.example.com/base/" },
  });
  second = await stack.startSecondApi();
});
afterAll(async () => {
  await second?.stop();
  await stack?.stop();
  await provider?.stop();
  await mailing?.stop();
});

interface Me {
  kind: string;
  team: { id: string; name: string; role: string | null } | null;
  teams: { id: string; role: string | null }[];
  scopes: string[];
}

const ACCEPT = "/v1/invitations/accept";
const signIn = async (login: string) => (await provider.signIn(login)).accessToken;
const newcomer = () => signIn(`p-${crypto.randomUUID()}`);

async function invite(client: ApiClient, teamId: string, body: object = {}) {
  const path = `/v1/teams/${teamId}/invitations`;
  return client.expect<{ id: string; token: string; url: string }>(201, "POST", path, body);
}

/** Accepts, each time from another address. */
async function accept(
  accessToken: string,
  token: string,
  api: { client: Stack["client"] } = stack,
) {
  const from = { "cf-connecting-ip": ownAddress() };
  const response = await api.client(accessToken).request("POST", ACCEPT, { token }, from);
  const body = (await response.json()) as Record<string, unknown>; // an answer or a problem of ours
  return { status: response.status, body };
}

const me = (client: ApiClient, teamId?: string) =>
  client.expect<Me>(200, "GET", "/v1/me", undefined, teamId ? { "x-team-id": teamId } : {});

describe("a person with an invitation", () => {
  it("joins the team with a token that opened none, and has it everywhere within a second", async () => {
    const team = await stack.createTeam({ name: "Apples" });
    const made = await invite(team.client, team.teamId, { role: "admin" });
    expect(made.url).toBe(`https://api.example.com/base/join/${made.token}`);
    const access = await newcomer();
    const [here, there] = [stack.client(access), second.client(access)];
    for (const client of [here, there]) {
      expect(await me(client)).toMatchObject({ kind: "person", team: null, teams: [], scopes: [] });
      await client.expect(403, "GET", `/v1/teams/${team.teamId}/members`);
    }
    const accepted = await accept(access, made.url);
    expect(accepted).toMatchObject({
      status: 200,
      body: { team: { id: team.teamId, name: "Apples" }, role: "admin", changed: true },
    });
    expect(await accept(access, made.token)).toMatchObject({
      status: 200,
      body: { ...accepted.body, changed: false },
    });
    await new Promise((resolve) => setTimeout(resolve, 1_000)); // the promise that is tested
    for (const client of [here, there]) {
      expect(await me(client)).toMatchObject({
        kind: "token",
        team: { id: team.teamId, role: "admin" },
        scopes: expect.arrayContaining(["admin", "chat"]),
      });
      await client.expect(200, "GET", `/v1/teams/${team.teamId}/members`);
    }
    const { data } = await team.client.expect<{ data: { actor: { kind: string } }[] }>(
      200,
      "GET",
      `/v1/audit?target=${made.id}`,
    );
    expect(data).toMatchObject([
      { action: "invitation.accept", actor: { kind: "person" } },
      { action: "invitation.create", actor: { kind: "key" } },
    ]);
    const statuses = stack.logs.lines.join();
    expect(statuses).not.toContain(made.token);
  });

  it("wins or loses against others who accept at the same moment in other processes: one gets in", async () => {
    const team = await stack.createTeam();
    const { token } = await invite(team.client, team.teamId);
    const people = await Promise.all(Array.from({ length: 6 }, newcomer));
    const answers = await Promise.all(
      people.map((access, index) => accept(access, token, index % 2 === 0 ? stack : second)),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 410, 410, 410, 410, 410]);
    for (const { status, body } of answers)
      if (status === 410) expect(body).toMatchObject({ code: "invitation_ended" });
    const members = await team.client.expect<{ data: unknown[] }>(
      200,
      "GET",
      `/v1/teams/${team.teamId}/members`,
    );
    expect(members.data).toHaveLength(1);
  });

  it("may be in several teams, and chooses by x-team-id with the role of each", async () => {
    const [one, two, foreign] = [
      await stack.createTeam({ name: "One" }),
      await stack.createTeam({ name: "Two" }),
      await stack.createTeam({ name: "Foreign" }),
    ];
    const access = await newcomer();
    const client = stack.client(access);
    await accept(access, (await invite(one.client, one.teamId, { role: "member" })).token);
    await accept(access, (await invite(two.client, two.teamId, { role: "viewer" })).token);
    await eventually(async () => {
      const teams = [
        { id: one.teamId, name: "One", role: "member" },
        { id: two.teamId, name: "Two", role: "viewer" },
      ];
      expect((await me(client)).teams).toEqual(teams);
      expect(await me(client, two.teamId)).toMatchObject({
        team: teams[1],
        scopes: ["usage:read"],
      });
      expect((await me(client, one.teamId)).scopes).toContain("chat");
    });
    for (const path of ["/v1/me", "/v1/usage"])
      await client.expect(404, "GET", path, undefined, { "x-team-id": foreign.teamId });
  });

  it("loses the team within a second of being removed, and does not come back by the same link", async () => {
    const team = await stack.createTeam();
    const { token } = await invite(team.client, team.teamId, { uses: 5 });
    const access = await newcomer();
    const { body } = await accept(access, token);
    const client = second.client(access);
    await eventually(() => client.expect(200, "GET", "/v1/usage"));
    const member = `/v1/teams/${team.teamId}/members/${String(body["member_id"])}`;
    await team.client.expect(204, "DELETE", member);
    await new Promise((resolve) => setTimeout(resolve, 1_000)); // the promise that is tested
    await client.expect(403, "GET", "/v1/usage");
    expect(await accept(access, token)).toMatchObject({ status: 410 });
  });
});

describe("an invitation for an e-mail", () => {
  it("lets in only a token that has it verified, and makes its bearer the member who was added by it", async () => {
    const { client, teamId } = await stack.createTeam();
    const added = await client.expect<{ id: string }>(201, "POST", `/v1/teams/${teamId}/members`, {
      name: "Ada",
      email: "ada@example.com",
      role: "viewer",
    });
    const { token } = await invite(client, teamId, { email: "Ada@example.com", role: "admin" });
    const bearer = (claims: object) => mailing.token({ sub: "ada", ...claims });
    for (const claims of [
      {},
      { email: "ada@example.com" },
      { email: "ada@example.com", email_verified: false },
      { email: "eve@example.com", email_verified: true },
    ]) {
      const refused = await accept(await bearer(claims), token);
      expect([claims, refused.status]).toEqual([claims, 403]);
      expect(JSON.stringify(refused.body)).not.toMatch(/ada/i);
    }
    const good = await bearer({ email: "ADA@example.com", email_verified: true });
    expect(await accept(good, token)).toMatchObject({
      status: 200,
      body: { member_id: added.id, role: "admin", changed: true },
    });
    // From now on by who she is, also without the e-mail.
    const later = stack.client(await bearer({}));
    await eventually(async () =>
      expect(await me(later)).toMatchObject({ kind: "token", team: { id: teamId, role: "admin" } }),
    );
  });
});

describe("an issuer's rule", () => {
  it("that says itself which teams its tokens open leaves no room for memberships", async () => {
    const { client, teamId } = await stack.createTeam();
    const { token } = await invite(client, teamId, { uses: 2 });
    for (const azp of ["app", "branch"]) {
      const refused = await accept(await mailing.token({ azp, sub: azp }), token);
      expect([azp, refused.status]).toEqual([azp, 403]);
    }
    const { data } = await client.expect<{ data: unknown[] }>(
      200,
      "GET",
      `/v1/teams/${teamId}/members`,
    );
    expect(data).toEqual([]);
    expect(await accept(await mailing.token({ azp: "other" }), token)).toMatchObject({
      status: 200,
    });
  });
});

describe("POST /v1/invitations/accept", () => {
  it("is for people, not for keys, and not for nobody", async () => {
    const team = await stack.createTeam();
    const { token } = await invite(team.client, team.teamId);
    for (const client of [team.client, stack.admin])
      await client.expect(403, "POST", ACCEPT, { token });
    await stack.client(null).expect(401, "POST", ACCEPT, { token });
    await stack.client("eyJhbGciOiJub25lIn0.e30.").expect(401, "POST", ACCEPT, { token });
  });

  it("says alike of every secret that is none that there is no such invitation", async () => {
    const team = await stack.createTeam({ name: "Secret garden" });
    const { token } = await invite(team.client, team.teamId);
    const access = await newcomer();
    const swapped = token.endsWith("0") ? "1" : "0";
    const wrong = [
      "",
      "x",
      `inv_${"0".repeat(32)}`,
      token.slice(0, -1) + swapped,
      token.toUpperCase(),
    ];
    const details = new Set<unknown>();
    for (const text of wrong) {
      const { status, body } = await accept(access, text);
      expect([text, status]).toEqual([text, 404]);
      details.add(body["detail"]);
      expect(JSON.stringify(body)).not.toContain("Secret garden");
    }
    expect(details.size).toBe(1);
  });

  it("refuses an address that guesses, and nobody else", async () => {
    const client = stack.client(await newcomer());
    const guess = { token: `inv_${"0".repeat(32)}` };
    const statuses: number[] = [];
    // A new minute may begin in between, with a hundred more.
    for (let attempt = 0; attempt < 210 && statuses.at(-1) !== 429; attempt++)
      statuses.push((await client.request("POST", ACCEPT, guess)).status);
    expect(new Set(statuses)).toEqual(new Set([404, 429]));
    expect(statuses.at(-1)).toBe(429);
    const team = await stack.createTeam();
    const { token } = await invite(team.client, team.teamId);
    expect(await accept(await newcomer(), token)).toMatchObject({ status: 200 });
  });

  it("changes nothing while all writes are switched off", async () => {
    const team = await stack.createTeam();
    const { token } = await invite(team.client, team.teamId);
    const access = await newcomer();
    await stack.admin.expect(200, "PUT", "/v1/admin/switches", { writes: "off" });
    try {
      await eventually(async () =>
        expect(await accept(access, token)).toMatchObject({ body: { code: "read_only" } }),
      );
    } finally {
      await stack.admin.expect(200, "PUT", "/v1/admin/switches", { writes: "on" });
    }
    await eventually(async () =>
      expect(await accept(access, token)).toMatchObject({ status: 200 }),
    );
  });
});

describe("GET /v1/me", () => {
  it("tells a key which it is, its team and what its scopes come to", async () => {
    const team = await stack.createTeam({ name: "Keys" });
    const weak = await team.client.expect<{ id: string; key: string }>(201, "POST", "/v1/keys", {
      name: "weak",
      scopes: ["chat"],
      models: ["builtin"],
    });
    expect(await stack.client(weak.key).expect(200, "GET", "/v1/me")).toEqual({
      kind: "key",
      key: { id: weak.id, name: "weak", prefix: weak.key.slice(0, 12), expires_at: null },
      identity: null,
      member_id: null,
      team: { id: team.teamId, name: "Keys", role: null },
      teams: [{ id: team.teamId, name: "Keys", role: null }],
      scopes: ["chat"],
      models: ["builtin"],
      end_user: null,
    });
    expect((await me(team.client)).scopes).toEqual([
      "chat",
      "sessions",
      "jobs",
      "skills",
      "usage:read",
      "admin",
    ]);
    expect(await me(stack.admin)).toMatchObject({ kind: "super_admin", team: null, teams: [] });
    expect(await me(stack.admin, team.teamId)).toMatchObject({ team: { id: team.teamId } });
  });
});
