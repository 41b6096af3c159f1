import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { ApiClient } from "#test/harness/api-client.ts";
import { eventually } from "#test/harness/eventually.ts";
import { FAULT_ROWS, type FaultRow, lineOf, type Outcome } from "./fault-table.ts";
import { type FaultsStack, startFaultsStack } from "./faults-stack.ts";
import { ask, type Asked, type Load, startLoad } from "./load.ts";

/** How long each fault lasts at least, in milliseconds. */
const FAULT_MS = 3_500;
/** How long each load runs on after it, at least. */
const AFTER_MS = 1_000;
const CALLERS = 2;
/** What the team with a budget may spend, in micro-dollars: some 60 answers. */
const BUDGET_MICROS = 1_000_000;

let faults: FaultsStack;
beforeAll(async () => {
  faults = await startFaultsStack(inject("postgres"));
});
afterAll(() => faults?.stop());

interface Team {
  teamId: string;
  client: ApiClient;
}

async function makeTeam(...limits: object[]): Promise<Team & { keyId: string }> {
  const { stack } = faults;
  const { teamId, keyId, key } = await stack.createTeam();
  if (limits.length > 0)
    await stack.admin.expect(200, "PUT", `/v1/teams/${teamId}/limits`, { limits });
  return { teamId, keyId, client: faults.client(key) };
}

const outcomeOf = ({ status, code }: Asked): Outcome =>
  code === null ? String(status) : status === 200 ? `200 … ${code}` : `${status} ${code}`;

/** Fails where something came that must not, or did not come that must. */
function expectOutcomes(seen: Iterable<Outcome>, expected: Outcome[]): void {
  const all = [...new Set(seen)];
  const allowed = expected.map((outcome) => outcome.replace("?", ""));
  expect(all.filter((outcome) => !allowed.includes(outcome))).toEqual([]);
  const needed = expected.filter((outcome) => !outcome.endsWith("?"));
  expect(all).toEqual(expect.arrayContaining(needed));
}

const outcomesOf = (asked: Asked[], ...models: string[]) =>
  asked.filter(({ model }) => models.includes(model)).map(outcomeOf);

async function revoke(keyId: string): Promise<Outcome> {
  const response = await faults.admin.request("POST", `/v1/keys/${keyId}/revoke`);
  if (response.status === 204) return "204";
  const { code } = (await response.json()) as { code: string }; // a problem, as every error here
  expect(response.headers.get("content-type")).toContain("application/problem+json");
  return `${response.status} ${code}`;
}

async function readiness(): Promise<Outcome> {
  const response = await faults.admin.request("GET", "/ready");
  const { status } = (await response.json()) as { status: string }; // its documented shape
  return `${response.status} ${status}`;
}

/** Results are kept for some seconds, so what is true now may be seen later. */
const readinessOf = ({ ready }: FaultRow) =>
  eventually(async () => {
    const seen = await readiness();
    expectOutcomes([seen], ready);
    return seen;
  });

/** Waits for all, and for the time to be over. */
async function lasting<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const [result] = await Promise.all([
    work,
    new Promise((resolve) => setTimeout(resolve, milliseconds)),
  ]);
  return result;
}

/** What every answer has, whatever has failed. */
function expectGoodManners(asked: Asked[]): void {
  for (const { id, status, code, headers } of asked) {
    expect({ status, code, id }).toMatchObject({ id: expect.stringMatching(/^req_/) });
    if (code === "unavailable") expect(headers.get("retry-after")).not.toBeNull();
    if (code === "insufficient_quota") expect(headers.get("x-should-retry")).toBe("false");
  }
}

interface StoredUsage {
  id: string;
  cost: number;
}

const usageOf = ({ teamId }: Team) =>
  faults.stack.sql<StoredUsage>(
    "SELECT id, cost_micros::int AS cost FROM usage_records WHERE team_id = $1",
    [teamId],
  );

/**
 * Ends once every request has its one record. What was refused because nothing could be checked may have none: it
 * was never let in.
 */
async function expectUsage(team: Team, asked: Asked[]): Promise<StoredUsage[]> {
  const mayLack = new Set(asked.filter(({ code }) => code === "unavailable").map(({ id }) => id));
  const ids = asked.map(({ id }) => id);
  const records = await eventually(async () => {
    const stored = await usageOf(team);
    const there = new Set(stored.map(({ id }) => id));
    expect(asked.filter(({ id }) => !mayLack.has(id) && !there.has(id ?? ""))).toEqual([]);
    return stored;
  });
  const ofRequests = records.filter(({ id }) => id.startsWith("req_")).map(({ id }) => id);
  expect(ofRequests.filter((id) => !ids.includes(id))).toEqual([]);
  expect(new Set(ofRequests).size).toBe(ofRequests.length);
  return records;
}

describe("while load runs", () => {
  it.each(FAULT_ROWS)("and the $dependency is $mode", async (row) => {
    const { stack } = faults;
    const plain = await makeTeam();
    const rated = await makeTeam({ unit: "requests", window: "day", max: 1_000_000 });
    const budget = await makeTeam({ unit: "usd", window: "total", max: "1.00" });
    const [unseen, revoked] = [await makeTeam(), await makeTeam()];
    const teams = [plain, rated, budget];
    const first = await Promise.all(teams.map(({ client }) => ask(client, "pair", false)));
    expect(first.map(outcomeOf)).toEqual(["200", "200", "200"]);
    const linesBefore = stack.logs.entries.length;

    const end = await faults.begin(row.dependency, row.mode);
    const loads: Load[] = teams.map(({ client }) => startLoad(client, ["alone", "pair"], CALLERS));
    const [firstOfUnseen, change] = await lasting(
      FAULT_MS,
      Promise.all([ask(unseen.client, "pair", false), revoke(revoked.keyId), readinessOf(row)]),
    );
    await eventually(() => {
      const [one = [], two = [], three = []] = loads.map(({ asked }) => [...asked]);
      expectOutcomes(outcomesOf(one, "alone"), row.alone);
      expectOutcomes(outcomesOf(one, "pair"), row.pair);
      expectOutcomes(outcomesOf(two, "pair"), row.rated);
      expectOutcomes(outcomesOf(three, "pair"), row.budget);
    });
    await end();

    // It recovers by itself.
    const isRefused = (asked: Asked) => asked.status === 429;
    await eventually(async () => {
      expect(outcomeOf(await ask(unseen.client, "alone", false))).toBe("200");
      expect(outcomeOf(await ask(rated.client, "alone", true))).toBe("200");
      const spending = await ask(budget.client, "pair", false);
      loads[2]?.asked.push(spending);
      expect(outcomeOf(spending) === "200" || isRefused(spending)).toBe(true);
      expect(await revoke(revoked.keyId)).toBe("204");
      expect(await readiness()).toBe("200 ready");
    });
    await lasting(AFTER_MS, Promise.all(loads.map((load) => load.stop())));

    expectOutcomes([outcomeOf(firstOfUnseen)], row.unseen);
    expectOutcomes([change], row.change);
    const events = stack.logs.entries.slice(linesBefore).map((entry) => entry["event"]);
    if (row.log !== null) expect(events).toContain(row.log);
    for (const { asked } of loads) expectGoodManners(asked);

    // Nothing is lost, nothing counted twice, and no more was spent than there was.
    await expectUsage(plain, [...(loads[0]?.asked ?? []), ...first.slice(0, 1)]);
    const spent = await expectUsage(budget, [...(loads[2]?.asked ?? []), ...first.slice(2)]);
    const cost = spent.reduce((sum, record) => sum + record.cost, 0);
    expect(cost).toBeLessThanOrEqual(BUDGET_MICROS);
    expect(cost).toBeGreaterThan(0);
  });
});

it("docs/faults.md says what was seen", async () => {
  const page = await readFile(new URL("../../docs/faults.md", import.meta.url), "utf8");
  for (const row of FAULT_ROWS) expect(page).toContain(lineOf(row));
});
