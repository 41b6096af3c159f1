import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { ApiClient } from "#test/harness/api-client.ts";
import { eventually } from "#test/harness/eventually.ts";
import type { SecondApi } from "#test/harness/stack.ts";
import { type MeteredStack, micros, startMeteredStack } from "./metered-stack.ts";

/**
 * Random requests, deaths and standstills of real processes against a few limits at once, beside the ledger's own
 * property test. Whatever happens: never over, nothing lost, nothing leaked. A failure names its seed.
 */

let metered: MeteredStack;
beforeAll(async () => {
  metered = await startMeteredStack(inject("postgres"));
  await metered.stack.admin.expect(201, "PUT", "/v1/admin/providers/hurried", {
    kind: "openai",
    base_url: metered.provider.url,
    timeouts: { total_ms: 8_000 },
  });
  for (const fault of ["none", "slow-first-byte", "slow-events", "cut", "status-500", "hang"])
    await metered.addModel(fault, `fault/${fault}`, {
      targets: [{ provider: "hurried", model: `fault/${fault}`, weight: 1 }],
    });
});
afterAll(() => metered?.stop());

const MODELS = [
  "none",
  "none",
  "none",
  "slow-first-byte",
  "slow-events",
  "cut",
  "status-500",
  "hang",
];
const request = fc.record({
  model: fc.constantFrom(...MODELS),
  stream: fc.boolean(),
  user: fc.constantFrom(undefined, "ann", "bob"),
  max_tokens: fc.constantFrom(undefined, 5, 40),
  process: fc.nat(1),
});
type Request = typeof request extends fc.Arbitrary<infer T> ? T : never;
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("ask" as const),
      requests: fc.array(request, { minLength: 1, maxLength: 12 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom("kill" as const, "freeze" as const, "thaw" as const, "main" as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("pause" as const),
      ms: fc.integer({ min: 50, max: 1_500 }),
    }),
  },
);

/** How long one run goes on, and how many there are; seeds are random, and told when a run fails. */
const STEPS = 22;
const RUNS = 2;

describe("several processes that die, freeze and come back", () => {
  it("never spend more than the limits, lose nothing and leak nothing", async () => {
    const property = fc.asyncProperty(
      fc.array(step, { minLength: STEPS, maxLength: STEPS }),
      async (steps) => {
        const { teamId, client, key } = await metered.stack.createTeam();
        await metered.limitTeam(
          teamId,
          { unit: "usd", window: "total", max: "1.60" },
          { unit: "tokens", window: "day", max: 4_000 },
          { unit: "requests", window: "day", max: 60 },
          { unit: "concurrency", max: 9 },
          { unit: "usd", window: "day", max: "0.80", end_user: "*" },
        );
        const other: { api: SecondApi | null } = { api: null };
        const running: Promise<unknown>[] = [];
        const send = async ({ process, ...body }: Request) => {
          other.api ??= await metered.stack.startSecondApi();
          const at = process === 0 ? client : other.api.client(key);
          // Whoever loses its connection has its request accounted for all the same.
          running.push(metered.ask(at, body).catch(() => null));
        };
        try {
          for (const one of steps) {
            if (one.kind === "ask") for (const each of one.requests) await send(each);
            else if (one.kind === "pause") await new Promise((wake) => setTimeout(wake, one.ms));
            else if (one.kind === "freeze") other.api?.freeze();
            else if (one.kind === "thaw") other.api?.thaw();
            else if (one.kind === "kill" && other.api) {
              other.api.kill();
              await other.api.stop();
              other.api = null;
            } else if (one.kind === "main") {
              await metered.stack.kill();
              await metered.stack.restart();
            }
            if (one.kind !== "main") await expectWithinLimits(client);
          }
          other.api?.thaw();
          await Promise.all(running);
        } finally {
          other.api?.thaw();
          await other.api?.stop();
        }
        await expectBooksToMatch(teamId, client);
      },
    );
    await fc.assert(property, { numRuns: RUNS, endOnFailure: true });
  }, 600_000);
});

async function expectWithinLimits(client: ApiClient): Promise<void> {
  for (const { unit, used, reserved, max } of await metered.limits(client)) {
    const [all, most] = [Number(used) + Number(reserved), Number(max)];
    expect([unit, all]).toSatisfy(() => all <= most + 1e-9);
  }
}

/** Everybody has reported or been charged: what is used is what the records say, by limit and end user. */
async function expectBooksToMatch(teamId: string, client: ApiClient): Promise<void> {
  await eventually(async () => {
    for (const { unit, used, reserved, end_user } of await metered.limits(client)) {
      const [row] = await metered.stack.sql<{ micros: string; tokens: string }>(
        `SELECT coalesce(sum(cost_micros), 0) AS micros, coalesce(sum(input_tokens + output_tokens), 0) AS tokens
         FROM usage_records WHERE team_id = $1 AND ($2::text IS NULL OR end_user = $2)`,
        [teamId, end_user],
      );
      expect([unit, end_user, Number(reserved)]).toEqual([unit, end_user, 0]);
      if (unit === "usd")
        expect([unit, end_user, micros(used)]).toEqual([unit, end_user, Number(row?.micros)]);
      if (unit === "tokens") expect([unit, used]).toEqual([unit, Number(row?.tokens)]);
      if (unit === "concurrency") expect(used).toBe(0);
    }
  }, 150_000);
  await expectWithinLimits(client);
}
