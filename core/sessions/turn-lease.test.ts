import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { SessionStore } from "./session.ts";
import { keepLease } from "./turn-lease.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const LEASE_MS = 3_000;

/** A store that answers renewals as told, and notes when they came. */
function storeOf(answer: () => Promise<boolean>) {
  const renewals: number[] = [];
  const renew = (turnId: string) => {
    expect(turnId).toBe("turn");
    renewals.push(Date.now());
    return answer();
  };
  return { store: { renew } as unknown as SessionStore, renewals }; // of which keepLease uses no more
}

test("a lease is renewed three times within its length, until it ends", async () => {
  const { store, renewals } = storeOf(() => Promise.resolve(true));
  const lost = vi.fn();
  const end = keepLease(store, { id: "turn", leaseMs: LEASE_MS }, lost);
  await vi.advanceTimersByTimeAsync(LEASE_MS * 2 + 100);
  expect(renewals).toHaveLength(6);
  end();
  await vi.advanceTimersByTimeAsync(LEASE_MS * 2);
  expect(renewals).toHaveLength(6);
  expect(lost).not.toHaveBeenCalled();
});

test("a renewal that does not get through is tried again", async () => {
  const { store, renewals } = storeOf(() => Promise.reject(new Error("out of reach")));
  const lost = vi.fn();
  const end = keepLease(store, { id: "turn", leaseMs: LEASE_MS }, lost);
  await vi.advanceTimersByTimeAsync(LEASE_MS + 100);
  expect(renewals).toHaveLength(3);
  expect(lost).not.toHaveBeenCalled();
  end();
});

test("a lost lease is told once, and not after the turn has ended", async () => {
  const { store, renewals } = storeOf(() => Promise.resolve(false));
  const lost = vi.fn();
  keepLease(store, { id: "turn", leaseMs: LEASE_MS }, lost);
  await vi.advanceTimersByTimeAsync(LEASE_MS * 3);
  expect(lost).toHaveBeenCalledTimes(1);
  expect(renewals).toHaveLength(1);

  let answer: (kept: boolean) => void = () => undefined;
  const late = storeOf(() => new Promise((resolve) => (answer = resolve)));
  const end = keepLease(late.store, { id: "turn", leaseMs: LEASE_MS }, lost);
  await vi.advanceTimersByTimeAsync(LEASE_MS / 2);
  end();
  answer(false);
  await vi.advanceTimersByTimeAsync(LEASE_MS);
  expect(lost).toHaveBeenCalledTimes(1);
});
