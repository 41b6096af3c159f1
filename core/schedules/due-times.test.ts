import { describe, expect, it } from "vitest";
import { createScheduleClock } from "#platform/schedule-clock.ts";
import { dueRuns } from "./due-times.ts";
import type { Cadence, Schedule } from "./schedule.ts";
import { SCHEDULES } from "./schedules.ts";

const schedule = (cadence: Cadence, missed: Schedule["missed"] = "catch_up"): Schedule => ({
  name: "test",
  description: "",
  cadence,
  missed,
  leaseSeconds: 60,
  retries: 0,
  run: () => Promise.resolve({}),
});

/** The distinct times that ticks of every minute in a span of hours come to. */
function timesOf(of: Schedule, timeZone: string, start: string, hours: number): string[] {
  const clock = createScheduleClock(timeZone);
  const times = new Set<string>();
  for (let minute = 0; minute < hours * 60; minute++) {
    const tick = new Date(Date.parse(start) + minute * 60_000 + 7_123); // ticks are never on the second
    for (const due of dueRuns([of], tick, clock)) times.add(due.scheduledAt.toISOString());
  }
  return [...times].filter((time) => time >= start);
}

describe("a schedule by the local clock", () => {
  const nightly = schedule({ cron: "30 2 * * *", clock: "local" }, "skip");

  it("runs once in the night that has no such time", () => {
    expect(timesOf(nightly, "Europe/Berlin", "2026-03-28T12:00:00.000Z", 48)).toEqual([
      "2026-03-29T01:00:00.000Z", // clocks go from 02:00 to 03:00 here
      "2026-03-30T00:30:00.000Z",
    ]);
  });

  it("runs once in the night that has the time twice", () => {
    expect(timesOf(nightly, "Europe/Berlin", "2026-10-24T12:00:00.000Z", 48)).toEqual([
      "2026-10-25T00:30:00.000Z",
      "2026-10-26T01:30:00.000Z",
    ]);
  });

  it("keeps to zones that are not whole hours from UTC", () => {
    expect(timesOf(nightly, "Asia/Kathmandu", "2026-11-21T00:00:00.000Z", 24)).toEqual([
      "2026-11-21T20:45:00.000Z",
    ]);
  });
});

it("runs hourly work each hour of a day that has 25", () => {
  const hourly = schedule({ cron: "3 * * * *", clock: "local" }, "skip");
  expect(timesOf(hourly, "Europe/Berlin", "2026-10-24T22:00:00.000Z", 25)).toHaveLength(25);
});

it("lets a missed time go or makes up for the last one, as the schedule says", () => {
  const clock = createScheduleClock("UTC");
  const daily = { cron: "17 4 * * *", clock: "utc" } as const;
  const tick = new Date("2026-11-21T09:00:30.000Z");
  expect(dueRuns([schedule(daily, "skip")], tick, clock)).toEqual([]);
  expect(
    dueRuns([schedule(daily)], tick, clock).map((due) => due.scheduledAt.toISOString()),
  ).toEqual(["2026-11-21T04:17:00.000Z"]);
});

it("knows a next and a latest time for every schedule that ships", () => {
  const clock = createScheduleClock("America/New_York");
  const now = new Date("2026-11-21T09:00:00.000Z");
  for (const { cadence, name } of SCHEDULES) {
    const next = clock.next(cadence, now).getTime();
    const latest = clock.latest(cadence, now)?.getTime() ?? 0;
    expect(next, name).toBeGreaterThan(now.getTime());
    expect(latest, name).toBeLessThanOrEqual(now.getTime());
    expect(latest, name).toBeGreaterThan(now.getTime() - 25 * 3_600_000);
  }
});

it("gives every schedule a name of its own, and a lease that its work fits in", () => {
  expect(new Set(SCHEDULES.map((one) => one.name)).size).toBe(SCHEDULES.length);
  // The platform ends an invocation after 15 minutes.
  for (const { leaseSeconds } of SCHEDULES) expect(leaseSeconds).toBeLessThan(15 * 60);
});
