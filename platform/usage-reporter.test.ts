import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createLogger } from "#core/kernel/log.ts";
import { LeaseDesk } from "#core/meter/lease-desk.ts";
import type { UsageBatch } from "#core/usage/usage-record.ts";
import { makeRecord } from "#test/usage/database.ts";
import { UsageReporter, type UsageSink } from "./usage-reporter.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A Meter that keeps what it takes by batch id, as the real one does, and can be out of reach. */
function openMeter() {
  const taken = new Map<string, UsageBatch>();
  const state = { calls: 0, failure: null as Error | null, largestCall: 0 };
  const meter: UsageSink = {
    async report(_teamId, batches) {
      state.calls++;
      state.largestCall = Math.max(state.largestCall, batches.length);
      if (state.failure) throw state.failure;
      for (const batch of batches) taken.set(batch.id, batch);
      return 0;
    },
  };
  const records = () => [...taken.values()].flatMap((batch) => batch.records);
  const lines: string[] = [];
  const log = createLogger("info", (_level, line) => void lines.push(line));
  return { reporter: new UsageReporter(meter, new LeaseDesk(), log), state, records, lines };
}

it("gathers the records of a second into one call", async () => {
  const { reporter, state, records } = openMeter();
  const reports = Array.from({ length: 500 }, () => reporter.report("team_a", makeRecord()));
  expect(reports.filter((report) => report !== null)).toHaveLength(1); // the others leave with the first
  await vi.advanceTimersByTimeAsync(1_100);
  await reports[0];
  expect(state.calls).toBe(1);
  expect(records()).toHaveLength(500);
});

it("keeps what the Meter did not take, and sends it once the Meter is back", async () => {
  const { reporter, state, records } = openMeter();
  state.failure = new Error("out of reach");
  const first = reporter.report("team_a", makeRecord());
  await vi.advanceTimersByTimeAsync(3_500);
  expect(state.calls).toBeGreaterThan(1);
  state.failure = null;
  await vi.advanceTimersByTimeAsync(1_500);
  await first;
  expect(records()).toHaveLength(1);
});

it("lets a later request send what a request that died has left", async () => {
  const { reporter, records } = openMeter();
  // The request that opens the window dies: its timer never fires.
  const timers = vi.spyOn(globalThis, "setTimeout").mockImplementationOnce(() => 0 as never);
  void reporter.report("team_a", makeRecord());
  timers.mockRestore();
  await reporter.report("team_a", makeRecord()); // joins the window, and returns
  await vi.advanceTimersByTimeAsync(6_000);
  const later = reporter.report("team_a", makeRecord());
  await vi.advanceTimersByTimeAsync(1_100);
  await later;
  expect(records()).toHaveLength(3);
});

it("sends a large backlog in calls that the Meter can take", async () => {
  const { reporter, state, records } = openMeter();
  state.failure = new Error("out of reach");
  for (let index = 0; index < 20_000; index++) void reporter.report("team_a", makeRecord());
  await vi.advanceTimersByTimeAsync(1_100);
  state.failure = null;
  await vi.advanceTimersByTimeAsync(2_000);
  expect(records()).toHaveLength(20_000);
  expect(state.largestCall).toBeLessThanOrEqual(10);
});

it("bounds what waits in memory, and logs what it cannot keep", async () => {
  const { reporter, state, records, lines } = openMeter();
  state.failure = new Error("out of reach");
  for (let index = 0; index < 60_010; index++)
    reporter.report("team_a", makeRecord())?.catch(() => undefined);
  const dropped = lines.filter((line) => line.includes('"usage_dropped"'));
  expect(dropped).toHaveLength(10);
  expect(JSON.parse(dropped[0] ?? "").record.id).toMatch(/^req_/);
  state.failure = null;
  await vi.advanceTimersByTimeAsync(3_000);
  expect(records()).toHaveLength(60_000);
});

it("cuts what a client made long, before it is kept", async () => {
  const { reporter, records } = openMeter();
  const report = reporter.report("team_a", makeRecord({ endUser: "x".repeat(1_000_000) }));
  await vi.advanceTimersByTimeAsync(1_100);
  await report;
  expect(records()[0]?.endUser).toHaveLength(200);
});
