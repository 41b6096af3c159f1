import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import type { ApiClient } from "#test/harness/api-client.ts";
import { eventually } from "#test/harness/eventually.ts";
import { type Stack, startStack } from "#test/harness/stack.ts";
import { expectProblem } from "./problem.ts";

interface Issued {
  id: string;
  token: string;
  url: string;
  telegram_command: string;
  state: string;
}

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ postgres: inject("postgres"), workers: ["api"] });
});
afterAll(() => stack?.stop());

const invite = (client: ApiClient, teamId: string, body: object = {}) =>
  client.expect<Issued>(201, "POST", `/v1/teams/${teamId}/invitations`, body);

/** Opens a link as a browser does, without any key. */
const open = (path: string, client = stack.client(null)) => client.request("GET", path);

describe("an invitation's link", () => {
  test("is shown once, begins where the API is reached, and fits Telegram's deep links", async () => {
    const { client, teamId } = await stack.createTeam();
    const made = await invite(client, teamId, { role: "viewer" });
    expect(made).toMatchObject({ role: "viewer", uses: 1, used: 0, state: "open", email: null });
    expect(made.url).toBe(`${stack.urls.api}/join/${made.token}`);
    expect(made.telegram_command).toBe(`/start ${made.token}`);
    expect(made.token).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
    const list = await client.request("GET", `/v1/teams/${teamId}/invitations`);
    const text = await list.text();
    expect(JSON.parse(text)).toMatchObject({ data: [{ id: made.id, state: "open" }] });
    expect(text).not.toContain(made.token);
    const rows = await stack.sql("SELECT * FROM invitations");
    expect(JSON.stringify(rows)).not.toContain(made.token);
  });

  test("says in a browser what it is and how it is accepted, and changes nothing", async () => {
    const { client, teamId } = await stack.createTeam({ name: '<script>alert("1")</script> & Co' });
    const made = await invite(client, teamId, { role: "admin" });
    for (let round = 0; round < 2; round++) {
      const response = await open(new URL(made.url).pathname);
      expect(response.status).toBe(200);
      expect(response.headers.get("content-type")).toContain("text/html");
      expect(response.headers.get("cache-control")).toBe("no-store");
      expect(response.headers.get("referrer-policy")).toBe("no-referrer");
      expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
      const text = await response.text();
      expect(text).toContain("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; Co");
      expect(text).not.toContain("<script");
      for (const part of ["admin", "/v1/invitations/accept", `/start ${made.token}`])
        expect(text).toContain(part);
      expect(text).not.toContain(teamId);
    }
    const { data } = await client.expect<{ data: unknown[] }>(
      200,
      "GET",
      `/v1/teams/${teamId}/invitations`,
    );
    expect(data).toMatchObject([{ used: 0, state: "open" }]);
  });

  test("tells who has a wrong one nothing, and who comes late why, without the team's name", async () => {
    const { client, teamId } = await stack.createTeam({ name: "Secret garden" });
    const made = await invite(client, teamId, { email: "ada@example.com" });
    const personal = await (await open(`/join/${made.token}`)).text();
    expect(personal).toContain("Secret garden");
    expect(personal).not.toMatch(/ada@example|\/start/);
    await client.expect(204, "DELETE", `/v1/teams/${teamId}/invitations/${made.id}`);
    await client.expect(204, "DELETE", `/v1/teams/${teamId}/invitations/${made.id}`);
    const late = await open(`/join/${made.token}`);
    expect(late.status).toBe(410);
    const text = await late.text();
    expect(text).toContain("revoked");
    expect(text).not.toContain("Secret garden");
    for (const wrong of [
      `${made.token.slice(0, -1)}!`,
      `inv_${"0".repeat(32)}`,
      "x",
      "%00",
      "%F0",
    ]) {
      const response = await open(`/join/${wrong}`);
      expect([wrong, response.status]).toEqual([wrong, 404]);
      expect(await response.text()).not.toContain("Secret garden");
    }
  });

  test("stands in no log line", async () => {
    const { client, teamId } = await stack.createTeam();
    const made = await invite(client, teamId);
    await open(`/join/${made.token}`);
    await eventually(() => expect(stack.logs.lines.join()).toContain("/join/…"));
    expect(stack.logs.lines.join()).not.toContain(made.token.slice(4));
  });

  test("is not to be guessed: an address that tries a hundred times is refused", async () => {
    const guesser = stack.client(null);
    const statuses: number[] = [];
    // A new minute may begin in between, with a hundred more.
    for (let attempt = 0; attempt < 210 && statuses.at(-1) !== 429; attempt++)
      statuses.push((await open(`/join/inv_${"0".repeat(32)}`, guesser)).status);
    expect(new Set(statuses)).toEqual(new Set([404, 429]));
    expect(statuses.at(-1)).toBe(429);
  });
});

describe("POST /v1/teams/{id}/invitations", () => {
  test("refuses what it does not know, roles above one's own, and keys that do not manage the team", async () => {
    const { client, teamId } = await stack.createTeam();
    const path = `/v1/teams/${teamId}/invitations`;
    for (const body of [
      { role: "boss" },
      { uses: 0 },
      { uses: 2, email: "a@example.com" },
      { expires_in_seconds: 59 },
      { email: "nobody" },
      { team_id: teamId },
    ])
      await expectProblem(await client.request("POST", path, body), 422, "validation_failed");
    await expectProblem(await client.request("POST", path, { role: "owner" }), 403, "forbidden");
    expect(await invite(stack.admin, teamId, { role: "owner" })).toMatchObject({ role: "owner" });
    const weak = await client.expect<{ key: string }>(201, "POST", "/v1/keys", {
      name: "weak",
      scopes: ["chat"],
    });
    const refused = await stack.client(weak.key).request("POST", path, {});
    await expectProblem(refused, 403, "missing_scope");
  });

  test("makes one link however often it is sent under one Idempotency-Key", async () => {
    const { client, teamId } = await stack.createTeam();
    const path = `/v1/teams/${teamId}/invitations`;
    const headers = { "idempotency-key": crypto.randomUUID() };
    const [one, two] = [
      await client.expect<Issued>(201, "POST", path, {}, headers),
      await client.expect<Issued>(201, "POST", path, {}, headers),
    ];
    expect(two).toEqual(one);
    const { data } = await client.expect<{ data: unknown[] }>(200, "GET", path);
    expect(data).toHaveLength(1);
  });
});
