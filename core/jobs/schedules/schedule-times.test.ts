import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createScheduleClock } from "#platform/schedule-clock.ts";
import { dueTime, firstTime, nextTimes } from "./schedule-times.ts";

const clockOf = createScheduleClock;
const berlin = (cron: string) => ({ cron, timeZone: "Europe/Berlin" });
const times = (cron: string, after: string, count = 5) =>
  nextTimes(berlin(cron), { clockOf, after: new Date(after), count }).map((time) =>
    time.toISOString().slice(0, 16),
  );

describe("the next times", () => {
  it("are by the clock of the place, over both changes of it", () => {
    expect(times("0 8 * * *", "2026-03-27T12:00:00Z", 3)).toEqual([
      "2026-03-28T07:00",
      "2026-03-29T06:00",
      "2026-03-30T06:00",
    ]);
    expect(times("0 8 * * *", "2026-10-23T12:00:00Z", 3)).toEqual([
      "2026-10-24T06:00",
      "2026-10-25T07:00",
      "2026-10-26T07:00",
    ]);
  });

  it("hold a time that the clock leaps over once, at the end of the gap", () => {
    expect(times("30 2 * * *", "2026-03-28T12:00:00Z", 2)).toEqual([
      "2026-03-29T01:00",
      "2026-03-30T00:30",
    ]);
  });

  it("hold a time that the clock shows twice once", () => {
    expect(times("30 2 * * *", "2026-10-24T12:00:00Z", 2)).toEqual([
      "2026-10-25T00:30",
      "2026-10-26T01:30",
    ]);
  });
});

describe("what somebody gave", () => {
  const now = new Date("2026-11-21T10:00:00Z");

  it.each([
    "",
    "* * * *",
    "* * * * * *",
    "60 * * * *",
    "0 0 30 2 *",
    "hourly",
    "*/0 * * * *",
    "0 0 * * 8",
    "\u0000",
    "0 8 * * 1-5 ; DROP",
  ])("is refused as a cron expression: %j", (cron) => {
    expect(() => firstTime(berlin(cron), clockOf, now)).toThrow(/^cron: /);
  });

  it.each(["", "Europe/Atlantis", "+02:00", "UTC+2", "../etc", "Europe/Berlin\u0000", "🕰"])(
    "is refused as a time zone: %j",
    (timeZone) => {
      expect(() => firstTime({ cron: "* * * * *", timeZone }, clockOf, now)).toThrow(
        /^time_zone: /,
      );
    },
  );

  it("is taken where it is due some day", () => {
    expect(firstTime(berlin("0 0 29 2 *"), clockOf, now).toISOString()).toBe(
      "2028-02-28T23:00:00.000Z",
    );
  });
});

describe("a schedule that is due", () => {
  const at = (due: string, now: string, cron = "*/10 * * * *") =>
    dueTime(berlin(cron), { clockOf, due: new Date(due), now: new Date(now) });

  it("in time has missed nothing", () => {
    expect(at("2026-11-21T10:10:00Z", "2026-11-21T10:10:20Z")).toEqual({
      at: new Date("2026-11-21T10:10:00Z"),
      missedTimes: 0,
      late: false,
      nextAt: new Date("2026-11-21T10:20:00Z"),
    });
  });

  it("after a while of nothing counts what it has missed", () => {
    expect(at("2026-11-21T10:10:00Z", "2026-11-21T12:07:00Z")).toEqual({
      at: new Date("2026-11-21T12:00:00Z"),
      missedTimes: 11,
      late: true,
      nextAt: new Date("2026-11-21T12:10:00Z"),
    });
  });

  it("never has its next time now or before, whatever was missed", () => {
    const crons = ["* * * * *", "*/7 * * * *", "30 2 * * *", "0 0 1 * *", "15 2,3 * * 0"];
    fc.assert(
      fc.property(
        fc.constantFrom(...crons),
        fc.date({ min: new Date("2026-01-01"), max: new Date("2027-01-01"), noInvalidDate: true }),
        fc.nat(3 * 24 * 60),
        (cron, after, minutes) => {
          const due = firstTime(berlin(cron), clockOf, after);
          const now = new Date(due.getTime() + minutes * 60_000);
          const { at, nextAt } = dueTime(berlin(cron), { clockOf, due, now });
          return at >= due && at <= now && nextAt > now;
        },
      ),
      { numRuns: 150 },
    );
  });
});
