import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import type { ApiClient } from "#test/harness/api-client.ts";
import { eventually } from "#test/harness/eventually.ts";
import { type Stack, startStack } from "#test/harness/stack.ts";
import { makeRecord } from "./database.ts";
import { type FaultLink, startFaultLink } from "#test/harness/fault-link.ts";

/** Usage on its whole way: isolate, Meter, queue, consumer, Postgres, with what can go wrong in between. */

let stack: Stack;
let link: FaultLink;
let team: { teamId: string; keyId: string; client: ApiClient };

beforeAll(async () => {
  const postgres = inject("postgres");
  link = await startFaultLink(postgres.neonProxy);
  stack = await startStack({
    postgres,
    vars: { NEON_LOCAL_PROXY: link.address, LOG_LEVEL: "debug", USAGE_RESEND_SECONDS: "2" },
  });
});
afterAll(async () => {
  await stack?.stop();
  await link?.stop();
});
beforeEach(async () => {
  await link.set("up");
  team = await stack.createTeam();
});

/** Sends chat completions to the built-in model. @returns the ids of the requests that were answered */
async function chat(count: number, concurrency = 10): Promise<string[]> {
  const ids: string[] = [];
  let left = count;
  const one = async () => {
    while (left-- > 0) {
      const answer = await team.client.request("POST", "/v1/chat/completions", {
        model: "builtin",
        messages: [{ role: "user", content: `message ${left}` }],
        user: "Zoë",
      });
      await answer.text();
      expect(answer.status).toBe(200);
      ids.push(answer.headers.get("x-request-id") ?? "");
    }
  };
  await Promise.all(Array.from({ length: concurrency }, one));
  return ids;
}

const storedIds = async () =>
  (
    await stack.sql<{ id: string }>("SELECT id FROM usage_records WHERE team_id = $1", [
      team.teamId,
    ])
  ).map((row) => row.id);

async function expectExactly(ids: string[]): Promise<void> {
  await eventually(async () => expect(await storedIds()).toHaveLength(ids.length));
  expect((await storedIds()).sort()).toEqual([...ids].sort());
  // Statistics are counted with the records, or not at all.
  const [counted] = await stack.sql<{ requests: number }>(
    "SELECT sum(requests)::int AS requests FROM usage_minutes WHERE team_id = $1",
    [team.teamId],
  );
  expect(counted?.requests).toBe(ids.length);
}

/** Ids of the records that Meters have handed to the queue, repeats included. */
const sentByMeters = () =>
  logged("usage_sent").flatMap((entry) => entry["request_ids"] as string[]); // as the Meter logs it

/** Ends once the Meter has these records for good: what it sends, it has. */
const takenByMeter = (ids: string[]) =>
  eventually(() => expect(new Set(sentByMeters())).toEqual(new Set([...sentByMeters(), ...ids])));

const logged = (event: string) => stack.logs.entries.filter((entry) => entry["event"] === event);

describe("usage", () => {
  it("arrives in Postgres once, and the Meter forgets it once it is confirmed", async () => {
    const ids = await chat(60);
    await expectExactly(ids);
    const [record] = await stack.sql("SELECT * FROM usage_records WHERE team_id = $1 LIMIT 1", [
      team.teamId,
    ]);
    expect(record).toMatchObject({
      key_id: team.keyId,
      model: "builtin",
      end_user: "Zoë",
      status: 200,
    });
    // It would have sent them again after two seconds.
    await eventually(() => expect(logged("usage_stored").length).toBeGreaterThan(0));
    const storedAt = Date.now();
    await eventually(() => expect(Date.now() - storedAt).toBeGreaterThan(5_000));
    expect(
      sentByMeters()
        .filter((id) => ids.includes(id))
        .sort(),
    ).toEqual(ids.sort());
  });

  it("counts once although every answer of the database is lost for a while", async () => {
    const first = await chat(1);
    await expectExactly(first);
    const failures = logged("usage_not_stored").length;
    await link.set("answers_lost");
    const ids = await chat(40);
    await eventually(() => expect(logged("usage_not_stored").length).toBeGreaterThan(failures + 1));
    await link.set("up");
    await expectExactly([...first, ...ids]);
  });

  it("waits in the Meter while the database is down, and arrives when it is back", async () => {
    const first = await chat(1);
    await expectExactly(first);
    const failures = logged("usage_not_stored").length;
    await link.set("down");
    const ids = await chat(30);
    await takenByMeter(ids);
    await eventually(() => expect(logged("usage_not_stored").length).toBeGreaterThan(failures));
    await link.set("up");
    await expectExactly([...first, ...ids]);
  });

  it("survives kill -9 with the queue's messages gone: what the queue loses, the Meter sends again", async () => {
    const first = await chat(1);
    await expectExactly(first);
    await link.set("down");
    const ids = await chat(30);
    await takenByMeter(ids);
    await stack.kill();
    await link.set("up");
    await stack.restart();
    await expectExactly([...first, ...ids]);
  });

  it("survives kill -9 between the insert and the confirmation", async () => {
    const first = await chat(1);
    await expectExactly(first);
    await link.set("answers_lost");
    const ids = await chat(30);
    await eventually(async () => expect(await storedIds()).toHaveLength(31)); // stored, and nobody was told
    await stack.kill();
    await link.set("up");
    await stack.restart();
    await expectExactly([...first, ...ids]);
    // The Meter sends them again, and is told this time.
    await eventually(() =>
      expect(logged("usage_stored").at(-1)).toMatchObject({ inserted: 0, unconfirmed: 0 }),
    );
  });

  it("loses nothing that a Meter has taken, killed at any moment", async () => {
    const answered: string[] = [];
    for (const moment of [0, 300, 700, 1_200, 1_800]) {
      const ids = await chat(15);
      await takenByMeter(ids);
      answered.push(...ids);
      const killAt = Date.now() + moment;
      await eventually(() => expect(Date.now()).toBeGreaterThanOrEqual(killAt));
      await stack.kill();
      await stack.restart();
    }
    await expectExactly(answered);
  });
});

describe("the consumer", () => {
  const message = (teamId: string, id: string, records: unknown[]) => ({
    kind: "usage",
    teamId,
    batches: [{ id, records }],
  });

  it("takes duplicates and messages out of order without effect", async () => {
    const records = Array.from({ length: 100 }, () => makeRecord());
    const messages = records.map((record, index) =>
      message(team.teamId, `batch_${index}`, [record]),
    );
    const thirtyPercent = messages.filter((_, index) => index % 10 < 3);
    const deliveries = [...messages, ...thirtyPercent].toSorted(() => Math.random() - 0.5);
    for (let start = 0; start < deliveries.length; start += 20) {
      const { retried } = await stack.consume(
        "switchyard-usage",
        deliveries.slice(start, start + 20),
      );
      expect(retried).toEqual([]);
    }
    await expectExactly(records.map((record) => record.id));
  });

  it("sets poison messages aside without holding up their neighbours", async () => {
    const good = makeRecord();
    const { retried, outcome } = await stack.consume("switchyard-usage", [
      "poison",
      { kind: "usage", teamId: team.teamId, batches: "none" },
      message(team.teamId, "batch_1", [good, { id: "no record" }]),
    ]);
    expect({ retried, outcome }).toEqual({ retried: [], outcome: "ok" });
    await expectExactly([good.id]);
    const letters = await stack.sql<{ body: string }>("SELECT body FROM dead_letters");
    expect(letters.map((letter) => JSON.parse(letter.body))).toEqual(
      expect.arrayContaining(["poison", { teamId: team.teamId, record: { id: "no record" } }]),
    );
  });

  it("brings every message again when nothing could be stored", async () => {
    await link.set("down");
    const { retried } = await stack.consume("switchyard-usage", [
      message(team.teamId, "batch_1", [makeRecord()]),
      { kind: "probe", sentAt: Date.now() },
    ]);
    expect(retried).toEqual(["message-0", "message-1"]);
  });
});
