import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { setImmediate as turn } from "node:timers/promises";
import { expect, it } from "vitest";
import { StopSign } from "./stop.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void; // there by the flag

it("gives what the work gives, and what it throws", async () => {
  const stop = new StopSign();
  expect(await stop.unlessStopped(Promise.resolve(1))).toBe(1);
  await expect(stop.unlessStopped(Promise.reject(new Error("no")))).rejects.toThrow("no");
});

it("gives up work that goes on when a stop is raised, and begins to wait for none afterwards", async () => {
  const stop = new StopSign();
  const waiting = stop.unlessStopped(new Promise(() => undefined));
  stop.raise({ kind: "cancelled" });
  expect(await waiting).toBeNull();
  expect(await stop.unlessStopped(Promise.resolve(1))).toBeNull();
});

it("holds nothing of what was done while nothing stops it, however long it goes on", async () => {
  const stop = new StopSign();
  const chunk = async () => {
    const given = { rows: Array.from({ length: 1_000 }, (_, row) => row) };
    await stop.unlessStopped(Promise.resolve(given));
    return new WeakRef(given);
  };
  const given = await Promise.all(Array.from({ length: 50 }, chunk));
  for (let round = 0; round < 5; round++) {
    await turn(); // a WeakRef is held to the end of its turn
    collectGarbage();
  }
  expect(given.filter((ref) => ref.deref() !== undefined)).toEqual([]);
  expect(stop.stop).toBeNull();
});
