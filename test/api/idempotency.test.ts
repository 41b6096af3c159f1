import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import type { ApiClient } from "#test/harness/api-client.ts";
import { type Stack, startStack } from "#test/harness/stack.ts";
import { expectInvalid, expectProblem } from "./problem.ts";

let stack: Stack;
let team: Awaited<ReturnType<Stack["createTeam"]>>;
let owner: ApiClient;

beforeAll(async () => {
  stack = await startStack({ postgres: inject("postgres"), workers: ["api"] });
  team = await stack.createTeam();
  owner = team.client;
});
afterAll(() => stack?.stop());

const once = () => ({ "idempotency-key": crypto.randomUUID() });
const keysNamed = async (name: string) =>
  (await stack.sql("SELECT id FROM api_keys WHERE name = $1", [name])).length;

describe("the same Idempotency-Key and body", () => {
  test("give the same answer, secret and all, and make one thing", async () => {
    const headers = once();
    const first = await owner.request("POST", "/v1/keys", { name: "same" }, headers);
    const again = await owner.request("POST", "/v1/keys", { name: "same" }, headers);
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(first.headers.get("idempotent-replayed")).toBeNull();
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    const made: unknown = await first.json();
    expect(await again.json()).toEqual(made);
    expect(await keysNamed("same")).toBe(1);
  });

  test("sent twenty times at once make one key, whose secret all twenty get", async () => {
    const headers = once();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        owner.expect<{ id: string; key: string }>(201, "POST", "/v1/keys", { name: "20" }, headers),
      ),
    );
    expect(new Set(answers.map((answer) => answer.id)).size).toBe(1);
    expect(new Set(answers.map((answer) => answer.key)).size).toBe(1);
    expect(await keysNamed("20")).toBe(1);
    await stack.client(answers[0]?.key ?? null).expect(200, "GET", "/v1/keys/verify");
  });

  test("make one team, one member, and one rotation", async () => {
    const name = `once-${crypto.randomUUID()}`;
    const forTeam = once();
    const make = () => stack.admin.expect(201, "POST", "/v1/teams", { name }, forTeam);
    expect(await make()).toEqual(await make());
    expect(await stack.sql("SELECT id FROM teams WHERE name = $1", [name])).toHaveLength(1);

    const forMember = once();
    const person = { name: "P", email: "once@example.com" };
    const path = `/v1/teams/${team.teamId}/members`;
    const add = () => owner.expect(201, "POST", path, person, forMember);
    expect(await add()).toEqual(await add());

    const { id } = await owner.expect<{ id: string }>(201, "POST", "/v1/keys", { name: "r" });
    const forRotation = once();
    const rotate = () =>
      owner.expect<{ key: string }>(
        200,
        "POST",
        `/v1/keys/${id}/rotate`,
        { grace_seconds: 60 },
        forRotation,
      );
    const rotated = await rotate();
    expect(await rotate()).toEqual(rotated);
    await stack.client(rotated.key).expect(200, "GET", "/v1/keys/verify");
  });

  test("belong to whoever sent them: another key's are its own", async () => {
    const headers = once();
    const other = await stack.createTeam();
    const mine = await owner.expect<{ id: string }>(
      201,
      "POST",
      "/v1/keys",
      { name: "o" },
      headers,
    );
    const theirs = await other.client.expect<{ id: string; team_id: string }>(
      201,
      "POST",
      "/v1/keys",
      { name: "o" },
      headers,
    );
    expect(theirs.id).not.toBe(mine.id);
    expect(theirs.team_id).toBe(other.teamId);
  });

  test("belong to the team that a super admin acts for", async () => {
    const headers = once();
    const other = await stack.createTeam();
    const make = (teamId: string) =>
      stack.admin.expect<{ team_id: string }>(
        201,
        "POST",
        "/v1/keys",
        { name: "s" },
        { ...headers, "x-team-id": teamId },
      );
    expect((await make(team.teamId)).team_id).toBe(team.teamId);
    expect((await make(other.teamId)).team_id).toBe(other.teamId);
  });

  test("are forgotten after 24 hours", async () => {
    const headers = once();
    const make = () =>
      owner.expect<{ id: string }>(201, "POST", "/v1/keys", { name: "d" }, headers);
    const first = await make();
    await stack.sql(
      "UPDATE idempotency_keys SET created_at = created_at - interval '24 hours 1 second' WHERE key = $1",
      [headers["idempotency-key"]],
    );
    expect((await make()).id).not.toBe(first.id);
  });
});

describe("the same Idempotency-Key", () => {
  test("with another body, path or method is refused, and nothing is made", async () => {
    const headers = once();
    await owner.expect(201, "POST", "/v1/keys", { name: "a" }, headers);
    const other = await owner.request("POST", "/v1/keys", { name: "never" }, headers);
    await expectProblem(other, 422, "idempotency_mismatch");
    const path = `/v1/teams/${team.teamId}/members`;
    const elsewhere = await owner.request("POST", path, { name: "a", email: "a@b.co" }, headers);
    await expectProblem(elsewhere, 422, "idempotency_mismatch");
    expect(await keysNamed("never")).toBe(0);
  });

  test("is free again after a request that failed", async () => {
    const headers = once();
    await expectInvalid(await owner.request("POST", "/v1/keys", { name: "" }, headers), "name");
    const path = `/v1/teams/${team.teamId}/members`;
    const person = { name: "P", email: "taken@example.com" };
    await owner.expect(201, "POST", path, person);
    await expectProblem(await owner.request("POST", path, person, headers), 409, "conflict");
    await owner.expect(201, "POST", "/v1/keys", { name: "after" }, headers);
  });

  test("must be 1 to 255 printable characters", async () => {
    for (const key of ["", "x".repeat(256), "caf\u00e9"]) {
      const headers = { "idempotency-key": key };
      const response = await owner.request("POST", "/v1/keys", { name: "k" }, headers);
      await expectProblem(response, 400, "invalid_request");
    }
    await owner.expect(
      201,
      "POST",
      "/v1/keys",
      { name: "k" },
      { "idempotency-key": "x".repeat(255) },
    );
  });
});

test("what is kept for a repetition is encrypted", async () => {
  const headers = once();
  const made = await owner.expect<{ key: string }>(201, "POST", "/v1/keys", { name: "e" }, headers);
  const [row] = await stack.sql<{ response_sealed: string }>(
    "SELECT response_sealed FROM idempotency_keys WHERE key = $1",
    [headers["idempotency-key"]],
  );
  expect(row?.response_sealed).toMatch(/^v1\./);
  expect(row?.response_sealed).not.toContain(made.key);
});
