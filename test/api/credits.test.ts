import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { type Stack, startStack } from "#test/harness/stack.ts";
import { expectInvalid, expectProblem } from "./problem.ts";

let stack: Stack;

beforeAll(async () => {
  stack = await startStack({ postgres: inject("postgres"), workers: ["api"] });
});
afterAll(() => stack?.stop());

const team = async () => {
  const made = await stack.createTeam();
  return { ...made, path: `/v1/teams/${made.teamId}/credits` };
};
const max = async (teamId: string) =>
  (await stack.sql("SELECT max FROM limits WHERE team_id = $1 AND prepaid", [teamId])).map((row) =>
    Number(row["max"]),
  );

test("credits add up in a ledger, survive PUT of the other limits, and are shown to the team's admins", async () => {
  const { teamId, client, path } = await team();
  const grant = (amount: string) =>
    stack.admin.expect(201, "POST", path, { amount, reason: "invoice" });
  expect(await grant("100.00")).toMatchObject({ amount: "100.00", total: "100.00", refill: null });
  expect(await grant("-0.5")).toMatchObject({ amount: "-0.50", total: "99.50" });
  await stack.admin.expect(200, "PUT", `/v1/teams/${teamId}/limits`, { limits: [] });
  expect(await max(teamId)).toEqual([99_500_000]);
  expect(await client.expect(200, "GET", path)).toMatchObject({
    data: [
      { amount: "-0.50", kind: "grant" },
      { amount: "100.00", reason: "invoice" },
    ],
    next_cursor: null,
  });
});

test("twenty grants at once all count, and one that is sent twice counts once", async () => {
  const { teamId, path } = await team();
  const body = { amount: "1.00", reason: "r" };
  await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      stack.admin.expect(201, "POST", path, body, { "idempotency-key": `grant-${n % 10}` }),
    ),
  );
  expect(await max(teamId)).toEqual([10_000_000]);
});

test("what was refilled until a grant is in the sum and in the ledger, once", async () => {
  const { teamId, client, path } = await team();
  const refill = { amount: "2.00", every: "day" };
  const grant = (body: object) =>
    stack.admin.expect(201, "POST", path, { amount: "1.00", reason: "r", ...body });
  expect(await grant({ refill })).toMatchObject({ total: "1.00", refill });
  await stack.sql(
    "UPDATE limits SET refill_since = now() - interval '3 days' WHERE team_id = $1 AND prepaid",
    [teamId],
  );
  expect(await grant({})).toMatchObject({ total: "8.00", refill });
  expect(await grant({ refill: null })).toMatchObject({ total: "9.00", refill: null });
  const { data } = await client.expect<{ data: { kind: string; amount: string }[] }>(
    200,
    "GET",
    path,
  );
  expect(data.map(({ kind, amount }) => `${kind} ${amount}`)).toEqual([
    "grant 1.00",
    "grant 1.00",
    "refill 6.00",
    "grant 1.00",
  ]);
});

test("grants are for super admins, and their amounts are checked", async () => {
  const { client, path } = await team();
  const body = { amount: "1.00", reason: "r" };
  await expectProblem(await client.request("POST", path, body), 403, "forbidden");
  for (const amount of [1, "0", "abc", "1.0000001", "-1.00", "--1"])
    await expectInvalid(await stack.admin.request("POST", path, { ...body, amount }), "amount");
  expect(await client.expect(200, "GET", path)).toEqual({ data: [], next_cursor: null });
});
