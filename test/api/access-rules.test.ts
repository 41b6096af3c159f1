import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import type { ApiClient } from "#test/harness/api-client.ts";
import { eventually } from "#test/harness/eventually.ts";
import { type Stack, startStack, SUPER_ADMIN_KEY } from "#test/harness/stack.ts";
import { expectInvalid, expectProblem } from "./problem.ts";

/** From when on a change has to hold everywhere, in milliseconds. */
const WITHIN_MS = 1_000;
const HOME = "203.0.113.7";
const AWAY = "198.51.100.9";

let stack: Stack;
let second: Awaited<ReturnType<Stack["startSecondApi"]>>;
beforeAll(async () => {
  stack = await startStack({
    postgres: inject("postgres"),
    workers: ["api"],
    vars: { ALLOWED_ORIGINS: "https://everywhere.example" },
  });
  second = await stack.startSecondApi();
});
afterAll(async () => {
  await second?.stop();
  await stack?.stop();
});

/** Asks as if from an address: in front of a deployed Worker, Cloudflare alone writes this header. */
const from = (client: ApiClient, address: string, more: Record<string, string> = {}) =>
  client.request("GET", "/v1/models", undefined, { "cf-connecting-ip": address, ...more });
const statusFrom = async (client: ApiClient, address: string) => {
  const response = await from(client, address);
  await response.body?.cancel();
  return response.status;
};
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe("the addresses of a key", () => {
  test("are those it allows, IPv4 and IPv6, but for those it denies", async () => {
    const team = await stack.createTeam();
    const key = await team.client.expect<{ id: string; key: string }>(201, "POST", "/v1/keys", {
      name: "office",
      ip_rules: { allow: ["203.0.113.0/24", "2001:db8::/32"], deny: ["203.0.113.128/25"] },
    });
    const client = stack.client(key.key);
    for (const address of [HOME, "::ffff:203.0.113.7", "2001:db8:1::9"])
      expect([address, await statusFrom(client, address)]).toEqual([address, 200]);
    for (const address of ["203.0.113.200", "::ffff:203.0.113.200", AWAY, "2001:db9::1"]) {
      const { detail } = await expectProblem(
        await client.request("GET", "/v1/sessions", undefined, { "cf-connecting-ip": address }),
        403,
        "ip_not_allowed",
      );
      expect(detail).toContain(address);
    }
    const forged = { "x-forwarded-for": HOME, "x-real-ip": HOME, "true-client-ip": HOME };
    const response = await from(client, AWAY, forged);
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ error: { code: "ip_not_allowed" } });
    expect(await statusFrom(team.client, AWAY)).toBe(200);
  });

  test.each([
    [{ allow: ["203.0.113.7/24"] }, "ip_rules.allow.0"],
    [{ allow: ["203.0.113.0/24"], deny: ["example.com"] }, "ip_rules.deny.0"],
    [{ allow: [7] }, "ip_rules.allow.0"],
    [{ allow: Array.from({ length: 201 }, (_, i) => `10.0.0.${i}`) }, "ip_rules.allow"],
    [{ permit: [] }, "ip_rules.permit"],
    ["203.0.113.7", "ip_rules"],
  ])("%j are none, and it is said where", async (rules, path) => {
    const team = await stack.createTeam();
    const body = { ip_rules: rules };
    await expectInvalid(await team.client.request("PATCH", `/v1/keys/${team.keyId}`, body), path);
    await expectInvalid(await team.client.request("PATCH", `/v1/teams/${team.teamId}`, body), path);
  });

  test("hold in both processes within a second, and so does their end", async () => {
    const team = await stack.createTeam();
    const both = [team.client, second.client(team.key)];
    const statuses = () => Promise.all(both.map((client) => statusFrom(client, AWAY)));
    const paths = [`/v1/keys/${team.keyId}`, `/v1/teams/${team.teamId}`];
    for (const [at, path] of paths.entries()) {
      expect(await statuses()).toEqual([200, 200]); // warm: each holds the record and the epoch
      const admin = at === 0 ? stack.admin : second.client(SUPER_ADMIN_KEY);
      await admin.expect(200, "PATCH", path, { ip_rules: { deny: ["198.51.100.0/24"] } });
      await pause(WITHIN_MS);
      expect(await statuses()).toEqual([403, 403]);
      await admin.expect(200, "PATCH", path, { ip_rules: {} });
      await pause(WITHIN_MS);
    }
    expect(await statuses()).toEqual([200, 200]);
  });
});

describe("whoever sets the rules", () => {
  test("is kept from shutting themselves out, unless they insist", async () => {
    const team = await stack.createTeam();
    const headers = { "cf-connecting-ip": HOME };
    const rules = { ip_rules: { allow: ["198.51.100.0/24"] } };
    for (const path of [`/v1/keys/${team.keyId}`, `/v1/teams/${team.teamId}`]) {
      const refused = await team.client.request("PATCH", path, rules, headers);
      expect((await expectProblem(refused, 409, "conflict")).detail).toContain(HOME);
    }
    expect(await statusFrom(team.client, HOME)).toBe(200);
    const forced = { ...rules, force: true };
    await team.client.expect(200, "PATCH", `/v1/teams/${team.teamId}`, forced, headers);
    await eventually(async () => expect(await statusFrom(team.client, HOME)).toBe(403));
    expect(await statusFrom(team.client, AWAY)).toBe(200);
    // A super admin is bound by no team's rules: the way back in.
    await stack.admin.expect(200, "PATCH", `/v1/teams/${team.teamId}`, { ip_rules: {} }, headers);
    await eventually(async () => expect(await statusFrom(team.client, HOME)).toBe(200));
  });

  test("may shut out another key than their own", async () => {
    const team = await stack.createTeam();
    const other = await team.client.expect<{ id: string }>(201, "POST", "/v1/keys", { name: "o" });
    const rules = { ip_rules: { deny: [HOME] } };
    const headers = { "cf-connecting-ip": HOME };
    await team.client.expect(200, "PATCH", `/v1/keys/${other.id}`, rules, headers);
  });
});

describe("a team's pages", () => {
  test("call from the team's origins beside those of the settings, and from no others", async () => {
    const team = await stack.createTeam();
    const neighbour = await stack.createTeam();
    const mine = "https://mine.example:8443";
    await team.client.expect(200, "PATCH", `/v1/teams/${team.teamId}`, { allowed_origins: [mine] });
    const ask = (client: ApiClient, origin: string) =>
      client.request("GET", "/v1/sessions", undefined, { origin });
    await eventually(async () => {
      const response = await ask(team.client, mine);
      expect(response.status).toBe(200);
      expect(response.headers.get("access-control-allow-origin")).toBe(mine);
      const exposed = response.headers.get("access-control-expose-headers");
      for (const name of ["x-request-id", "x-ratelimit-remaining-requests", "ratelimit", "x-cache"])
        expect(exposed?.split(",")).toContain(name);
    });
    expect((await ask(team.client, "https://everywhere.example")).status).toBe(200);
    expect((await ask(team.client, stack.urls.api)).status).toBe(200); // a page of the Worker's own
    for (const [client, origin] of [
      [neighbour.client, mine],
      [team.client, "https://mine.example"],
      [team.client, "https://mine.example:8443.evil.example"],
      [team.client, "null"],
    ] as const) {
      const response = await ask(client, origin);
      expect(response.headers.get("access-control-allow-origin")).toBeNull();
      await expectProblem(response, 403, "origin_not_allowed");
    }
  });

  test("change nothing when they may not call", async () => {
    const team = await stack.createTeam({ name: "Before" });
    const path = `/v1/teams/${team.teamId}`;
    const evil = { origin: "https://evil.example" };
    const response = await team.client.request("PATCH", path, { name: "After" }, evil);
    expect(response.status).toBe(403);
    expect(await team.client.expect(200, "GET", path)).toMatchObject({ name: "Before" });
  });

  test("read why a key is refused, before it is known whose it is", async () => {
    const headers = { origin: "https://unheard-of.example" };
    const response = await stack.client("nonsense").request("GET", "/v1/teams", undefined, headers);
    expect(response.status).toBe(401);
    expect(response.headers.get("access-control-allow-origin")).toBe(headers.origin);
  });

  test.each(["https://a.example/", "a.example", "https://A.example", "ftp:", ""])(
    "%j is no origin",
    async (origin) => {
      const { client, teamId } = await stack.createTeam();
      const body = { allowed_origins: [origin] };
      await expectInvalid(
        await client.request("PATCH", `/v1/teams/${teamId}`, body),
        "allowed_origins.0",
      );
    },
  );
});

describe("a team's own limit of bodies", () => {
  test("holds below the gateway's", async () => {
    const team = await stack.createTeam();
    const path = `/v1/teams/${team.teamId}`;
    const send = (bytes: number) =>
      team.client.request("POST", "/v1/chat/completions", {
        model: "builtin",
        messages: [{ role: "user", content: "x".repeat(bytes) }],
      });
    expect((await send(5_000)).status).toBe(200);
    await team.client.expect(200, "PATCH", path, { max_body_bytes: 4_096 });
    await eventually(async () => {
      const response = await send(5_000);
      expect(response.status).toBe(413);
      expect(await response.json()).toMatchObject({
        error: { code: "body_too_large", message: expect.stringContaining("4096 bytes") },
      });
    });
    expect((await send(3_000)).status).toBe(200);
    await expectInvalid(
      await team.client.request("PATCH", path, { max_body_bytes: 20 * 1024 * 1024 }),
      "max_body_bytes",
    );
  });
});

test("a chat that does not come as JSON is 415, which says how it came", async () => {
  const team = await stack.createTeam();
  const response = await team.client.request(
    "POST",
    "/v1/chat/completions",
    '{"model":"builtin"}',
    {
      "content-type": "application/x-www-form-urlencoded",
    },
  );
  expect(response.status).toBe(415);
  expect(await response.json()).toMatchObject({
    error: { message: expect.stringContaining("application/x-www-form-urlencoded") },
  });
});

describe("the last owner", () => {
  test("stays, whoever asks and however many at once", async () => {
    const { client, teamId } = await stack.createTeam();
    const path = `/v1/teams/${teamId}/members`;
    const add = (name: string, asks = stack.admin) =>
      asks.expect<{ id: string }>(201, "POST", path, {
        name,
        email: `${name}@example.com`,
        role: "owner",
      });
    const first = await add("first", client); // a team without an owner is given its first by whoever manages it
    for (const body of [{ role: "admin" }, { name: "x" }])
      await expectProblem(
        await client.request("PATCH", `${path}/${first.id}`, body),
        403,
        "forbidden",
      );
    await expectProblem(await client.request("DELETE", `${path}/${first.id}`), 403, "forbidden");
    const another = { name: "n", email: "n@example.com", role: "owner" };
    await expectProblem(await client.request("POST", path, another), 403, "forbidden");
    await expectProblem(
      await stack.admin.request("DELETE", `${path}/${first.id}`),
      409,
      "conflict",
    );
    await expectProblem(
      await stack.admin.request("PATCH", `${path}/${first.id}`, { role: "viewer" }),
      409,
      "conflict",
    );
    const owners = [first, ...(await Promise.all(["b", "c", "d"].map((name) => add(name))))];
    const answers = await Promise.all(
      owners.map(({ id }, at) =>
        at % 2 === 0
          ? stack.admin.request("DELETE", `${path}/${id}`)
          : stack.admin.request("PATCH", `${path}/${id}`, { role: "viewer" }),
      ),
    );
    expect(answers.map(({ status }) => status).filter((status) => status === 409)).toEqual([409]);
    const rows = await stack.sql("SELECT 1 FROM members WHERE team_id = $1 AND role = 'owner'", [
      teamId,
    ]);
    expect(rows).toHaveLength(1);
  });
});
