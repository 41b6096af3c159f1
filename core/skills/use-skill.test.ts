import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { z } from "zod";
import { openTestDatabase, type TestDatabase } from "#test/usage/database.ts";
import type { ModelCall } from "../gateway/model-call.ts";
import { selfTest, selfTestInput, selfTestResult } from "../jobs/self-test/self-test-type.ts";
import { newId } from "../kernel/ids.ts";
import type { Principal } from "../kernel/principal.ts";
import type { UsageRecord } from "../usage/usage-record.ts";
import { defineSkill, type Skill, type SkillContext } from "./skill.ts";
import type { SkillHost } from "./skill-host.ts";
import { useSkill } from "./use-skill.ts";

/** A client that hangs up, at each moment of a use: what is accounted for, and what is begun. */

let database: TestDatabase;
let principal: Principal;
let records: UsageRecord[];
let gone: AbortController;
/** What happens while the skill runs, the limits are asked, and a job is handed over. */
let whileRunning: (context: SkillContext) => Promise<void>;
let whileAdmitting: () => void;
let whileDispatching: () => void;

beforeAll(async () => {
  database = await openTestDatabase(inject("postgres"));
});
afterAll(() => database.drop());
beforeEach(async () => {
  const teamId = newId("team");
  await database.pool.query("INSERT INTO teams (id, name) VALUES ($1, 'A team')", [teamId]);
  const scopes = ["skills", "jobs"] as const;
  principal = { kind: "key", teamId, keyId: "key_a", scopes, models: ["*"] };
  records = [];
  gone = new AbortController();
  whileRunning = () => Promise.resolve();
  whileAdmitting = () => undefined;
  whileDispatching = () => undefined;
});

const answering = defineSkill({
  name: "test.answer",
  title: "Answer",
  summary: "Answers.",
  input: z.strictObject({}),
  output: z.object({ ok: z.boolean() }),
  example: {},
  priceMicros: 70,
  readOnly: true,
  async run(context) {
    await whileRunning(context);
    return { ok: true };
  },
});
const beginning = defineSkill({
  name: "test.begin",
  title: "Begin",
  summary: "Begins a job.",
  input: selfTestInput,
  output: selfTestResult,
  example: { count: 1 },
  priceMicros: 90,
  readOnly: true,
  job: (input) => ({ type: selfTest, input }),
});

function use(skill: Skill, input: unknown) {
  const teamId = principal.teamId ?? "";
  const call: ModelCall = {
    requestId: newId("request"),
    receivedAt: Date.now(),
    principal,
    teamId,
    sessionId: null,
    endUser: null,
    traceparent: "",
    tracestate: null,
    clientSignal: gone.signal,
  };
  const host = {
    ports: {},
    jobDesk: {
      queueAgeLimitSeconds: 60,
      dispatch: () => Promise.resolve(whileDispatching()),
    },
    gateway: {
      admit: () => Promise.resolve(whileAdmitting()),
      report: (record: UsageRecord) => void records.push(record),
      now: Date.now,
    },
    skillsOff: () => [],
    refuseChanges: () => undefined,
  } as unknown as SkillHost; // as much as is reached
  return useSkill(database.context({ principal }), host, { skill, input, call });
}

const told = () => records.map(({ model, status, costMicros }) => [model, status, costMicros]);
const jobsMade = async () =>
  (await database.pool.query("SELECT id FROM jobs WHERE team_id = $1", [principal.teamId])).rows;

describe("a client that hangs up", () => {
  it("while a skill runs ends it, and makes one record that costs nothing", async () => {
    let heard = false;
    const late = Promise.withResolvers<void>();
    whileRunning = async ({ signal }) => {
      gone.abort();
      heard = signal.aborted;
      await late.promise; // it heeds nothing, and goes on
    };
    await expect(use(answering, {})).rejects.toMatchObject({ code: "client_closed" });
    expect(heard).toBe(true);
    late.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    expect(told()).toEqual([["skill:test.answer", 499, 0]]);
  });

  it("when the skill has answered is charged for it, once", async () => {
    const answer = await use(answering, {});
    gone.abort();
    expect(answer).toEqual({ kind: "answer", output: { ok: true }, costMicros: 70 });
    expect(told()).toEqual([["skill:test.answer", 200, 70]]);
  });

  it.each<[string, () => void]>([
    ["before it is asked", () => gone.abort()],
    ["while the limits are asked", () => (whileAdmitting = () => gone.abort())],
  ])("%s has nothing begun, and gives back what was set aside", async (_, hangUp) => {
    hangUp();
    let ran = false;
    whileRunning = async () => void (ran = true);
    await expect(use(answering, {})).rejects.toMatchObject({ code: "client_closed" });
    await expect(use(beginning, { count: 1 })).rejects.toMatchObject({ code: "client_closed" });
    expect(ran).toBe(false);
    expect(await jobsMade()).toEqual([]);
    expect(told()).toEqual([
      ["skill:test.answer", 499, 0],
      ["skill:test.begin", 499, 0],
    ]);
  });

  it("when its job is made leaves the job, made and charged once", async () => {
    whileDispatching = () => gone.abort();
    const answer = await use(beginning, { count: 1 });
    expect(answer).toMatchObject({ kind: "job", job: { type: "self_test", state: "queued" } });
    expect(await jobsMade()).toHaveLength(1);
    expect(told()).toEqual([["skill:test.begin", 200, 90]]);
  });
});
