import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { type Stack, startStack } from "#test/harness/stack.ts";
import { expectInvalid, expectProblem } from "./problem.ts";

interface Team {
  id: string;
  name: string;
}
interface Member {
  id: string;
  email: string;
}

let stack: Stack;

beforeAll(async () => {
  stack = await startStack({ postgres: inject("postgres"), workers: ["api"] });
});
afterAll(() => stack?.stop());

const createTeam = (name = "Acme") => stack.admin.expect<Team>(201, "POST", "/v1/teams", { name });

describe("a team", () => {
  test("is made, read, renamed and deleted by a super admin", async () => {
    const team = await createTeam("  Ácme ✨ شرکت ");
    expect(team).toEqual({
      id: expect.stringMatching(/^team_[0-9a-z]{26}$/),
      name: "Ácme ✨ شرکت",
      created_at: expect.stringMatching(/^20.*Z$/),
      updated_at: expect.any(String),
      limits: [],
      ip_rules: { allow: [], deny: [] },
      allowed_origins: [],
      max_body_bytes: null,
    });
    const path = `/v1/teams/${team.id}`;
    expect(await stack.admin.expect(200, "GET", path)).toEqual(team);
    const renamed = await stack.admin.expect(200, "PATCH", path, { name: "Acme 2" });
    expect(renamed).toMatchObject({ id: team.id, name: "Acme 2" });
    expect(await stack.admin.expect(200, "PATCH", path, {})).toMatchObject({ name: "Acme 2" });
    await stack.admin.expect(204, "DELETE", path);
    for (const [method, body] of [
      ["GET", undefined],
      ["PATCH", { name: "x" }],
      ["DELETE", undefined],
    ] as const)
      await expectProblem(await stack.admin.request(method, path, body), 404, "not_found");
  });

  test("is read by every key of it and renamed by those with the scope admin", async () => {
    const team = await stack.createTeam({ name: "Before" });
    const reader = await stack.createTeam({ scopes: ["chat"] });
    await reader.client.expect(200, "GET", `/v1/teams/${reader.teamId}`);
    expect(await reader.client.expect(200, "GET", "/v1/teams")).toMatchObject({
      data: [{ id: reader.teamId }],
      next_cursor: null,
    });
    const path = `/v1/teams/${team.teamId}`;
    expect(await team.client.expect(200, "PATCH", path, { name: "After" })).toMatchObject({
      name: "After",
    });
    const response = await reader.client.request("PATCH", `/v1/teams/${reader.teamId}`, {
      name: "x",
    });
    await expectProblem(response, 403, "missing_scope");
  });

  test.each<[string, object, string]>([
    ["no name", {}, "name"],
    ["null", { name: null }, "name"],
    ["spaces", { name: "   " }, "name"],
    ["201 characters", { name: "x".repeat(201) }, "name"],
    ["NUL", { name: "a\u0000" }, "name"],
    ["half a surrogate pair", { name: "\udc00" }, "name"],
    ["an unknown field", { name: "x", plan: "free" }, "plan"],
    ["an id of its own", { name: "x", id: "team_x" }, "id"],
    ["a prototype", JSON.parse('{"name":"x","__proto__":{"a":1}}'), "__proto__"],
  ])("with %s is refused", async (_, body, path) => {
    await expectInvalid(await stack.admin.request("POST", "/v1/teams", body), path);
  });

  test("keeps names that look like code as they are", async () => {
    const name = `'); DROP TABLE teams; -- <script>alert("x")</script>`;
    expect(await createTeam(name)).toMatchObject({ name });
  });

  test("takes its keys, members and links with it, and leaves other teams alone", async () => {
    const doomed = await stack.createTeam();
    const other = await stack.createTeam();
    for (const team of [doomed, other]) {
      const person = { name: "P", email: "p@example.com" };
      await team.client.expect(201, "POST", `/v1/teams/${team.teamId}/members`, person);
      await stack.sql("INSERT INTO telegram_links (chat_id, team_id) VALUES ($1, $2)", [
        team === doomed ? 1 : 2,
        team.teamId,
      ]);
    }
    await stack.admin.expect(204, "DELETE", `/v1/teams/${doomed.teamId}`);
    for (const table of ["api_keys", "members", "telegram_links"]) {
      const count = async (teamId: string) =>
        (await stack.sql(`SELECT 1 FROM ${table} WHERE team_id = $1`, [teamId])).length;
      expect([table, await count(doomed.teamId)]).toEqual([table, 0]);
      expect([table, await count(other.teamId)]).toEqual([table, 1]);
    }
    await other.client.expect(200, "GET", "/v1/keys/verify");
  });

  test("being deleted while its keys are rotated and made ends cleanly", async () => {
    const team = await stack.createTeam();
    const rotations = Array.from({ length: 6 }, () =>
      team.client.request("POST", `/v1/keys/${team.keyId}/rotate`, { grace_seconds: 3600 }),
    );
    const creations = Array.from({ length: 6 }, () =>
      team.client.request("POST", "/v1/keys", { name: "late" }),
    );
    const deletion = stack.admin.request("DELETE", `/v1/teams/${team.teamId}`);
    const answers = await Promise.all([...rotations, ...creations]);
    expect((await deletion).status).toBe(204);
    for (const { status } of answers) expect([200, 201, 401, 404]).toContain(status);
    expect(await stack.sql("SELECT 1 FROM api_keys WHERE team_id = $1", [team.teamId])).toEqual([]);
  });
});

test("teams are listed in pages, the newest first", async () => {
  const made = [
    (await createTeam("p1")).id,
    (await createTeam("p2")).id,
    (await createTeam("p3")).id,
  ];
  const seen: string[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    type Answer = { data: Team[]; next_cursor: string | null };
    const query: string = cursor === "" ? "" : `&cursor=${cursor}`;
    const page: Answer = await stack.admin.expect(200, "GET", `/v1/teams?limit=2${query}`);
    expect(page.data.length).toBeLessThanOrEqual(2);
    seen.push(...page.data.map((team) => team.id));
    cursor = page.next_cursor;
  }
  expect(new Set(seen).size).toBe(seen.length);
  expect(seen).toEqual(seen.toSorted().toReversed());
  expect(seen).toEqual(expect.arrayContaining(made));
});

describe("members", () => {
  test("are added, read, changed and removed", async () => {
    const { client, teamId } = await stack.createTeam();
    const path = `/v1/teams/${teamId}/members`;
    const person = { name: " Parisa ", email: " Parisa@Example.COM ", role: "admin" };
    const member = await client.expect<Member>(201, "POST", path, person);
    expect(member).toEqual({
      id: expect.stringMatching(/^mem_/),
      team_id: teamId,
      name: "Parisa",
      email: "parisa@example.com",
      role: "admin",
      identity: null,
      created_at: expect.any(String),
      updated_at: expect.any(String),
    });
    const one = `${path}/${member.id}`;
    expect(await client.expect(200, "GET", one)).toEqual(member);
    expect(await client.expect(200, "PATCH", one, { role: "viewer" })).toMatchObject({
      name: "Parisa",
      email: "parisa@example.com",
      role: "viewer",
    });
    expect(await client.expect(200, "GET", path)).toMatchObject({ data: [{ role: "viewer" }] });
    await client.expect(204, "DELETE", one);
    for (const [method, body] of [
      ["GET", undefined],
      ["PATCH", { name: "x" }],
      ["DELETE", undefined],
    ] as const)
      await expectProblem(await client.request(method, one, body), 404, "not_found");
    expect(await client.expect(200, "GET", path)).toEqual({ data: [], next_cursor: null });
  });

  test("are members when nothing is said, and each of the four roles is taken", async () => {
    const { client, teamId } = await stack.createTeam();
    const path = `/v1/teams/${teamId}/members`;
    const plain = { name: "P", email: "plain@example.com" };
    expect(await client.expect(201, "POST", path, plain)).toMatchObject({ role: "member" });
    for (const role of ["owner", "admin", "member", "viewer"]) {
      const person = { name: role, email: `${role}@example.com`, role };
      expect(await client.expect(201, "POST", path, person)).toMatchObject({ role });
    }
  });

  test("have an email that is theirs alone in the team, in whatever case, also under concurrency", async () => {
    const { client, teamId } = await stack.createTeam();
    const other = await stack.createTeam();
    const path = `/v1/teams/${teamId}/members`;
    const add = (email: string) => client.request("POST", path, { name: "P", email });
    const answers = await Promise.all(Array.from({ length: 10 }, () => add("a@example.com")));
    expect(answers.map((answer) => answer.status).toSorted((x, y) => x - y)).toEqual([
      201,
      ...Array(9).fill(409),
    ]);
    await expectProblem(await add("A@EXAMPLE.com"), 409, "conflict");
    const b = await client.expect<Member>(201, "POST", path, { name: "B", email: "b@example.com" });
    const taken = await client.request("PATCH", `${path}/${b.id}`, { email: "a@Example.com" });
    expect((await expectProblem(taken, 409, "conflict")).detail).toContain("a@example.com");
    await client.expect(200, "PATCH", `${path}/${b.id}`, { email: "B@example.com" });
    const elsewhere = { name: "P", email: "a@example.com" };
    await other.client.expect(201, "POST", `/v1/teams/${other.teamId}/members`, elsewhere);
  });

  test.each<[string, object, string]>([
    ["no name", { name: undefined }, "name"],
    ["no email", { email: undefined }, "email"],
    ["no address", { email: "nobody" }, "email"],
    ["two addresses", { email: "a@b.co, c@d.co" }, "email"],
    ["a line break in the address", { email: "a@b.co\nBcc: c@d.co" }, "email"],
    ["NUL in the address", { email: "a\u0000@b.co" }, "email"],
    ["a long address", { email: `${"x".repeat(250)}@b.co` }, "email"],
    ["an unknown role", { role: "root" }, "role"],
    ["a null role", { role: null }, "role"],
    ["a team in the body", { team_id: "team_x" }, "team_id"],
  ])("with %s are refused", async (_, body, path) => {
    const { client, teamId } = await stack.createTeam();
    const person = { name: "P", email: "p@example.com", ...body };
    await expectInvalid(await client.request("POST", `/v1/teams/${teamId}/members`, person), path);
  });

  test("cannot be reached through another team's path, even by a super admin", async () => {
    const a = await stack.createTeam();
    const b = await stack.createTeam();
    const member = await a.client.expect<Member>(201, "POST", `/v1/teams/${a.teamId}/members`, {
      name: "A",
      email: "a@example.com",
    });
    for (const client of [b.client, stack.admin]) {
      const path = `/v1/teams/${b.teamId}/members/${member.id}`;
      await expectProblem(await client.request("GET", path), 404, "not_found");
      await expectProblem(await client.request("PATCH", path, { role: "owner" }), 404, "not_found");
      await expectProblem(await client.request("DELETE", path), 404, "not_found");
    }
    await a.client.expect(200, "GET", `/v1/teams/${a.teamId}/members/${member.id}`);
  });

  test("of a team that is not there are 404 for a super admin", async () => {
    for (const id of ["team_00000000000000000000000000", "nonsense", "%00"]) {
      const path = `/v1/teams/${id}/members`;
      await expectProblem(await stack.admin.request("GET", path), 404, "not_found");
      const person = { name: "P", email: "p@example.com" };
      await expectProblem(await stack.admin.request("POST", path, person), 404, "not_found");
    }
  });

  test("are listed in pages", async () => {
    const { client, teamId } = await stack.createTeam();
    const path = `/v1/teams/${teamId}/members`;
    for (let i = 0; i < 5; i++)
      await client.expect(201, "POST", path, { name: "P", email: `p${i}@example.com` });
    type Answer = { data: Member[]; next_cursor: string | null };
    const first = await client.expect<Answer>(200, "GET", `${path}?limit=3`);
    const rest = await client.expect<Answer>(200, "GET", `${path}?cursor=${first.next_cursor}`);
    expect([...first.data, ...rest.data].map((member) => member.email).toSorted()).toEqual(
      Array.from({ length: 5 }, (_, i) => `p${i}@example.com`),
    );
    expect(rest.next_cursor).toBeNull();
  });
});
