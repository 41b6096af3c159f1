import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { newId } from "#core/kernel/ids.ts";
import { type ApiClient, ownAddress } from "#test/harness/api-client.ts";
import { eventually } from "#test/harness/eventually.ts";
import { startStack, type Stack } from "#test/harness/stack.ts";
import { type AnyIssuer, AUDIENCE, startAnyIssuer } from "./any-issuer.ts";

/** From when on a change has to hold everywhere. */
const WITHIN_MS = 1_000;
/** How long each Worker serves the token before, so that it holds the bearer's standing and the team's epoch. */
const WARM_MS = 1_500;
const PAUSE_MS = 20;

let issuer: AnyIssuer;
/** Whose verified e-mails find members. */
let mailing: AnyIssuer;
let stack: Stack;
let second: Awaited<ReturnType<Stack["startSecondApi"]>>;
beforeAll(async () => {
  issuer = await startAnyIssuer("EdDSA");
  mailing = await startAnyIssuer();
  const rule = { audience: AUDIENCE, end_user: null };
  const rules = [
    { ...rule, issuer: issuer.url, algorithms: ["EdDSA"], team: { from: "membership" } },
    {
      ...rule,
      issuer: mailing.url,
      team: { from: "membership", by_verified_email: true },
    },
  ];
  stack = await startStack({
    postgres: inject("postgres"),
    workers: ["api"],
    vars: { OIDC_ISSUERS: JSON.stringify(rules) },
  });
  second = await stack.startSecondApi();
});
afterAll(async () => {
  await second?.stop();
  await stack?.stop();
  await Promise.all([issuer?.stop(), mailing?.stop()]);
});

/** A new team in which a person has a role. */
async function join(subject: string, role = "admin") {
  const { teamId } = await stack.createTeam();
  return { teamId, memberId: await addMember(teamId, subject, role) };
}

async function addMember(teamId: string, subject: string, role = "admin"): Promise<string> {
  const input = {
    name: subject,
    email: `${subject}@example.com`,
    role,
    identity: { issuer: issuer.url, subject },
  };
  const path = `/v1/teams/${teamId}/members`;
  return (await stack.admin.expect<{ id: string }>(201, "POST", path, input)).id;
}

const newPerson = () => `person-${crypto.randomUUID()}`;

async function statusOf(client: ApiClient, path: string, headers: Record<string, string> = {}) {
  const from = { "cf-connecting-ip": ownAddress() };
  const response = await client.request("GET", path, undefined, { ...from, ...headers });
  await response.text();
  return response.status;
}

/** The team that a request of this token is for. */
async function teamOf(token: string, headers: Record<string, string> = {}): Promise<string> {
  const { data } = await stack
    .client(token)
    .expect<{ data: { id: string }[] }>(200, "GET", "/v1/teams", undefined, headers);
  return data.map((team) => team.id).join();
}

/** A client that asks one time after the other until it is stopped. */
function keepAsking(client: ApiClient, path: string) {
  const asked: { at: number; status: number }[] = [];
  let running = true;
  const work = (async () => {
    while (running) {
      const at = Date.now();
      asked.push({ at, status: await statusOf(client, path) });
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  })();
  return {
    asked,
    stop() {
      running = false;
      return work;
    },
  };
}

interface Change {
  name: string;
  make(teamId: string, memberId: string): [method: string, path: string, body?: object];
  status: number;
}

const CHANGES: Change[] = [
  {
    name: "who is no admin any more",
    make: (team, member) => ["PATCH", `/v1/teams/${team}/members/${member}`, { role: "viewer" }],
    status: 403,
  },
  {
    name: "who is no member any more",
    make: (team, member) => ["DELETE", `/v1/teams/${team}/members/${member}`],
    status: 403,
  },
  {
    name: "whose identity is another's now",
    make: (team, member) => [
      "PATCH",
      `/v1/teams/${team}/members/${member}`,
      { identity: { issuer: issuer.url, subject: newPerson() } },
    ],
    status: 403,
  },
  { name: "whose team is gone", make: (team) => ["DELETE", `/v1/teams/${team}`], status: 403 },
  {
    name: "whose team is switched off",
    make: (team) => ["PUT", "/v1/admin/switches", { teams: { [team]: "off" } }],
    status: 403,
  },
];

describe("a token that two processes take all the time", () => {
  it.each(CHANGES)("opens nothing within a second in both for somebody $name", async (change) => {
    const subject = newPerson();
    const { teamId, memberId } = await join(subject);
    const token = await issuer.token({ sub: subject });
    const bystander = newPerson();
    await addMember((await stack.createTeam()).teamId, bystander);
    const other = await issuer.token({ sub: bystander });
    const loads = [stack.client(token), second.client(token)].map((client) =>
      keepAsking(client, "/v1/keys"),
    );
    const beside = keepAsking(second.client(other), "/v1/keys");
    const all = [...loads, beside];
    const beganAt = Date.now();
    await eventually(() => {
      expect(Date.now() - beganAt).toBeGreaterThan(WARM_MS);
      for (const { asked } of all) expect(asked.length).toBeGreaterThan(10);
    });
    const before = loads.flatMap(({ asked }) => asked.map((one) => one.status));
    const [method, path, body] = change.make(teamId, memberId);
    const changed = await stack.admin.request(method, path, body);
    expect(changed.ok).toBe(true);
    const doneAt = Date.now();
    const late = (load: (typeof loads)[number]) =>
      load.asked.filter(({ at }) => at > doneAt + WITHIN_MS).map((one) => one.status);
    await eventually(() => {
      for (const load of all) expect(late(load).length).toBeGreaterThan(10);
    });
    await Promise.all(all.map((load) => load.stop()));
    expect(new Set(before)).toEqual(new Set([200]));
    for (const load of loads) expect(new Set(late(load))).toEqual(new Set([change.status]));
    expect(new Set(late(beside))).toEqual(new Set([200]));
  });

  it("opens a team within a second for somebody who was let in", async () => {
    const subject = newPerson();
    const token = await issuer.token({ sub: subject });
    for (const api of [stack, second])
      expect(await statusOf(api.client(token), "/v1/keys")).toBe(403);
    await join(subject);
    await new Promise((resolve) => setTimeout(resolve, WITHIN_MS));
    for (const api of [stack, second])
      expect(await statusOf(api.client(token), "/v1/keys")).toBe(200);
  });
});

describe("a person in several teams", () => {
  it("acts for the first one, and with x-team-id for any of them", async () => {
    const subject = newPerson();
    const first = await join(subject, "viewer");
    const later = await join(subject, "admin");
    const token = await issuer.token({ sub: subject });
    expect(await teamOf(token)).toBe(first.teamId);
    expect(await teamOf(token, { "x-team-id": later.teamId })).toBe(later.teamId);
    expect(await teamOf(token, { "x-team-id": first.teamId })).toBe(first.teamId);
    // Each with the role that they have there.
    const client = stack.client(token);
    expect(await statusOf(client, "/v1/keys")).toBe(403);
    expect(await statusOf(client, "/v1/keys", { "x-team-id": later.teamId })).toBe(200);
  });

  it("keeps the first one when others add them, and gets the next one when it is gone", async () => {
    const subject = newPerson();
    const first = await join(subject);
    const token = await issuer.token({ sub: subject });
    expect(await teamOf(token)).toBe(first.teamId);
    const later = await join(subject);
    await new Promise((resolve) => setTimeout(resolve, WITHIN_MS));
    expect(await teamOf(token)).toBe(first.teamId);
    await stack.admin.expect(204, "DELETE", `/v1/teams/${first.teamId}/members/${first.memberId}`);
    await eventually(async () => expect(await teamOf(token)).toBe(later.teamId));
  });

  it("finds no other team, whether it is there or not", async () => {
    const subject = newPerson();
    await join(subject);
    const { teamId: other } = await stack.createTeam();
    const client = stack.client(await issuer.token({ sub: subject }));
    const answers = await Promise.all(
      [other, newId("team"), "nonsense", "*"].map(async (id) => {
        const headers = { "x-team-id": id };
        const body = await client.expect<{ detail: string }>(
          404,
          "GET",
          "/v1/keys",
          undefined,
          headers,
        );
        return body.detail;
      }),
    );
    expect(new Set(answers).size).toBe(1);
  });

  it("does one thing under one idempotency key in each of the teams", async () => {
    const subject = newPerson();
    const [one, two] = [await join(subject), await join(subject)];
    const client = stack.client(await issuer.token({ sub: subject }));
    const make = async ({ teamId }: { teamId: string }) => {
      const headers = { "x-team-id": teamId, "idempotency-key": "same" };
      return client.expect<{ id: string; team_id: string }>(
        201,
        "POST",
        "/v1/keys",
        { name: "made" },
        headers,
      );
    };
    const [first, again, elsewhere] = [await make(one), await make(one), await make(two)];
    expect(again.id).toBe(first.id);
    expect([first.team_id, elsewhere.team_id]).toEqual([one.teamId, two.teamId]);
  });
});

describe("who somebody is", () => {
  it("goes by issuer and subject together", async () => {
    const subject = newPerson();
    await join(subject);
    const same = await mailing.token({ sub: subject });
    expect(await statusOf(stack.client(same), "/v1/teams")).toBe(403);
  });

  it("goes by a verified e-mail only where the rule says so, and the member has no identity", async () => {
    const { teamId } = await stack.createTeam();
    const email = `${newPerson()}@example.com`;
    const path = `/v1/teams/${teamId}/members`;
    const input = { name: "By mail", email, role: "admin" };
    const { id } = await stack.admin.expect<{ id: string }>(201, "POST", path, input);
    const tokens = {
      verified: await mailing.token({ email: email.toUpperCase(), email_verified: true }),
      unverified: await mailing.token({ email, email_verified: false }),
      unsaid: await mailing.token({ email }),
      elsewhere: await issuer.token({ sub: newPerson(), email, email_verified: true }),
    };
    const statuses = async () => ({
      verified: await statusOf(stack.client(tokens.verified), "/v1/keys"),
      unverified: await statusOf(stack.client(tokens.unverified), "/v1/keys"),
      unsaid: await statusOf(stack.client(tokens.unsaid), "/v1/keys"),
      elsewhere: await statusOf(stack.client(tokens.elsewhere), "/v1/keys"),
    });
    const refused = { unverified: 403, unsaid: 403, elsewhere: 403 };
    expect(await statuses()).toEqual({ verified: 200, ...refused });
    const identity = { issuer: mailing.url, subject: newPerson() };
    await stack.admin.expect(200, "PATCH", `${path}/${id}`, { identity });
    await eventually(async () => expect(await statuses()).toEqual({ verified: 403, ...refused }));
  });
});

describe("owners", () => {
  it("alone delete their team, and alone make owners", async () => {
    const admin = newPerson();
    const owner = newPerson();
    const { teamId } = await join(owner, "owner");
    await addMember(teamId, admin, "admin");
    const adminClient = stack.client(await issuer.token({ sub: admin }));
    const ownerClient = stack.client(await issuer.token({ sub: owner }));
    const members = `/v1/teams/${teamId}/members`;
    const input = { name: "New", email: "new@example.com", role: "owner" };
    await adminClient.expect(403, "POST", members, input);
    await adminClient.expect(403, "DELETE", `/v1/teams/${teamId}`);
    await ownerClient.expect(201, "POST", members, input);
    await ownerClient.expect(204, "DELETE", `/v1/teams/${teamId}`);
  });
});

describe("rules of a team", () => {
  it("about addresses hold for tokens as for keys", async () => {
    const subject = newPerson();
    const { teamId } = await join(subject);
    const client = stack.client(await issuer.token({ sub: subject }));
    const rules = { allow: ["192.0.2.0/24"], deny: [] };
    await stack.admin.expect(200, "PATCH", `/v1/teams/${teamId}`, { ip_rules: rules });
    await eventually(async () => expect(await statusOf(client, "/v1/keys")).toBe(403));
    const inside = { "cf-connecting-ip": "192.0.2.7" };
    expect(await statusOf(client, "/v1/keys", inside)).toBe(200);
  });
});
