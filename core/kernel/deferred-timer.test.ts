import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { DeferredTimer } from "./deferred-timer.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function timed() {
  const fired: number[] = [];
  const beganAt = Date.now();
  const timer = new DeferredTimer(() => fired.push(Date.now() - beganAt));
  return { timer, fired, at: (ms: number) => timer.at(beganAt + ms) };
}

it("fires once, at its time", () => {
  const { fired, at } = timed();
  at(100);
  vi.advanceTimersByTime(1_000);
  expect(fired).toEqual([100]);
});

it("fires at the last time that was set, be it later or earlier than the ones before", () => {
  const later = timed();
  for (let step = 0; step < 50; step++) {
    later.timer.at(Date.now() + 100);
    vi.advanceTimersByTime(10);
  }
  vi.advanceTimersByTime(1_000);
  expect(later.fired).toEqual([590]);

  const earlier = timed();
  earlier.at(60_000);
  earlier.at(100);
  vi.advanceTimersByTime(100_000);
  expect(earlier.fired).toEqual([100]);
});

it("sets one timer for many steps", () => {
  const set = vi.spyOn(globalThis, "setTimeout");
  const { timer, fired } = timed();
  for (let step = 0; step < 1_000; step++) {
    timer.at(Date.now() + 100);
    vi.advanceTimersByTime(1);
  }
  expect(fired).toEqual([]);
  expect(set.mock.calls.length).toBeLessThan(15);
});

it("does not fire while it is paused, and fires again when it is set again", () => {
  const { timer, fired, at } = timed();
  at(100);
  timer.pause();
  vi.advanceTimersByTime(200);
  expect(vi.getTimerCount()).toBe(0); // what was set has ended, and is not set again
  at(300);
  vi.advanceTimersByTime(200);
  expect(fired).toEqual([300]);
});

it("leaves no timer behind at its end", () => {
  const { timer, fired, at } = timed();
  at(100);
  timer.end();
  expect(vi.getTimerCount()).toBe(0);
  vi.advanceTimersByTime(200);
  expect(fired).toEqual([]);
});
