import { beforeEach, describe, expect, it } from "vitest";
import { type Clock, SendPace } from "./send-pace.ts";

/** A clock that stands still but for sleeping, so that times are exact. */
let time = 0;
const clock: Clock = {
  now: () => time,
  sleep: async (ms) => void (time += ms),
};
beforeEach(() => {
  time = 0;
});

describe("the pace of sending", () => {
  it("leaves the gap between the end of a call and the next one", async () => {
    const pace = new SendPace(1100, clock);
    const starts: number[] = [];
    const call = async () => {
      starts.push(time);
      time += 300; // how long Telegram takes
    };
    await Promise.all([pace.run(call), pace.run(call), pace.run(call)]);
    expect(starts).toEqual([0, 1400, 2800]);
  });

  it("goes on after a call that fails, and counts it", async () => {
    const pace = new SendPace(1000, clock);
    await expect(pace.run(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
    await pace.run(async () => expect(time).toBe(1000));
  });

  it("obeys a pause that comes while calls wait", async () => {
    const pace = new SendPace(1000, clock);
    await pace.run(async () => pace.pause(30_000));
    expect(pace.ready).toBe(false);
    await pace.run(async () => expect(time).toBe(30_000));
  });

  it("is ready only when a call would go out at once", async () => {
    const pace = new SendPace(1000, clock, 500);
    expect(pace.ready).toBe(false);
    time = 500;
    expect(pace.ready).toBe(true);
    const running = pace.run(async () => expect(pace.ready).toBe(false));
    await running;
    expect(pace.ready).toBe(false);
    time += 1000;
    expect(pace.ready).toBe(true);
  });
});
