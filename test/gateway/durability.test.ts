import pg from "pg";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { eventually } from "#test/harness/eventually.ts";
import { readEvents } from "./event-stream.ts";
import { type GatewayStack, startGateway, userSays } from "./gateway-stack.ts";

let gateway: GatewayStack;
beforeAll(async () => {
  gateway = await startGateway(inject("postgres"), ["api", "bot", "cron"], {
    LOG_LEVEL: "debug", // the Meter then tells what it has sent
    USAGE_RESEND_SECONDS: "2",
  });
  await gateway.addModels({ plain: "plain", failing: "fault/status-500", cut: "fault/cut" });
});
afterAll(() => gateway?.stop());

/** Asks a model, reads its answer to the end, and tells the request's id. */
async function ask(model: string, stream: boolean): Promise<string> {
  const response = await gateway.chat({ model, messages: userSays("hi"), stream });
  if (stream) await readEvents(response);
  else await response.text();
  return response.headers.get("x-request-id") ?? "";
}

/** Ids of the requests whose records the Meter has taken, and handed on. */
const sent = () =>
  new Set(
    gateway.stack.logs.entries
      .filter((entry) => entry["event"] === "usage_sent")
      .flatMap((entry) => entry["request_ids"] as string[]), // as the Meter logs it
  );

/** Lets every insert of usage wait until it is told to go on. */
async function holdUsage(): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: gateway.stack.databaseUrl });
  await client.connect();
  await client.query("BEGIN");
  await client.query("LOCK TABLE usage_records IN EXCLUSIVE MODE");
  return async () => {
    await client.query("COMMIT");
    await client.end();
  };
}

const waitingInserts = async () =>
  (
    await gateway.stack.sql(
      "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
    )
  ).length;

describe("usage of requests that were answered", () => {
  it("is there exactly once after kill -9, whatever the answers were", async () => {
    const release = await holdUsage();
    const models = ["plain", "failing", "cut"];
    const cases = Array.from({ length: 30 }, (_, index) => models[index % 3] ?? "");
    const ids = await Promise.all(cases.map((model, index) => ask(model, index % 2 === 0)));
    // The Meter has the records, and the consumer is about to store them: not before the processes are dead.
    await eventually(() => expect([...sent()]).toEqual(expect.arrayContaining(ids)));
    await eventually(async () => expect(await waitingInserts()).toBeGreaterThan(0));
    await gateway.stack.kill();
    await release();
    await gateway.stack.restart();
    const records = () =>
      gateway.stack.sql<{ id: string; model: string; status: number }>(
        "SELECT id, model, status FROM usage_records ORDER BY id",
      );
    await eventually(async () => expect((await records()).length).toBeGreaterThanOrEqual(30));
    // What was on its way to Postgres may have arrived as well; the Meter sends it again in any case.
    await eventually(() => {
      const events = gateway.stack.logs.entries.map((entry) => entry["event"]);
      expect(events).toContain("usage_stored");
    });
    const statuses = { plain: 200, failing: 502, cut: 502 };
    expect(await records()).toEqual(
      ids
        .map((id, index) => ({ id, model: cases[index] ?? "" }))
        .map((one) => ({ ...one, status: statuses[one.model as keyof typeof statuses] })) // one of the three above
        .toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    );
    expect(await ask("plain", true)).toMatch(/^req_/); // and it goes on
  });
});
