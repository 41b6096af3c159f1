import { describe, expect, it } from "vitest";
import { SignalBoard, type SignalSources } from "./signal-board.ts";
import type { Signal } from "./signal.ts";

const signal = (at: number, version = 1): Signal => ({
  at,
  version,
  catalogVersion: 1,
  botOffAt: null,
  writesOff: false,
  providersOff: [],
  teamsOff: [],
});

/** A world with a clock of its own, in which Postgres and the cache can be broken. */
function world() {
  const state = { now: 1_000_000, version: 1, loads: 0, reads: 0, cached: null as Signal | null };
  const broken = { cache: false, hangs: false, postgres: false };
  const background: Promise<unknown>[] = [];
  const sources: SignalSources = {
    async readCache() {
      state.reads += 1;
      if (broken.hangs) return new Promise(() => undefined);
      return broken.cache ? null : state.cached;
    },
    async writeCache(written) {
      if (!broken.cache) state.cached = written;
    },
    async load() {
      state.loads += 1;
      if (broken.postgres) throw new Error("down");
      return signal(state.now, state.version);
    },
    background: (work) => void background.push(work),
    now: () => state.now,
  };
  const settle = async () => {
    while (background.length > 0) await background.pop();
  };
  return { state, broken, sources, settle };
}

describe("an isolate's copy of the signal", () => {
  it("is never over a second old, with the cache dead too, and asks Postgres about once a second", async () => {
    const { state, broken, sources, settle } = world();
    broken.cache = true;
    const board = new SignalBoard();
    for (let step = 0; step < 1_000; step++) {
      state.now += 10;
      state.version = step;
      const seen = board.at(state.now) ?? (await board.current(sources));
      expect(state.now - seen.at).toBeLessThanOrEqual(1_000);
      expect(step - seen.version).toBeLessThanOrEqual(100);
      await settle();
    }
    expect(state.loads).toBeGreaterThanOrEqual(10);
    expect(state.loads).toBeLessThanOrEqual(14); // in ten seconds
  });

  it("asks nobody while it is fresh, and nobody at all while nothing comes", async () => {
    const { state, sources } = world();
    const board = new SignalBoard();
    await board.current(sources);
    for (let step = 0; step < 70; step++) {
      state.now += 10;
      expect(board.at(state.now)).not.toBeNull();
    }
    expect(state.loads).toBe(1);
    state.now += 60_000;
    expect(board.at(state.now)).toBeNull();
    expect((await board.current(sources)).at).toBe(state.now);
    expect(state.loads).toBe(2);
  });

  it("is had from Postgres once by many isolates that share a cache", async () => {
    const { state, sources, settle } = world();
    const boards = Array.from({ length: 50 }, () => new SignalBoard());
    for (let step = 0; step < 1_000; step++) {
      state.now += 10;
      for (const board of boards) {
        const seen = board.at(state.now) ?? (await board.current(sources));
        expect(state.now - seen.at).toBeLessThanOrEqual(1_000);
        await settle();
      }
    }
    expect(state.loads).toBeLessThanOrEqual(25); // fifty isolates, ten seconds
  });

  it("does not believe a cache that somebody left behind", async () => {
    const { state, sources } = world();
    state.cached = signal(state.now - 5_000, 1);
    state.version = 2;
    expect((await new SignalBoard().current(sources)).version).toBe(2);
  });

  it("waits for a hanging cache once, then leaves it alone for a while", async () => {
    const { state, broken, sources } = world();
    broken.hangs = true;
    const board = new SignalBoard();
    expect((await board.current(sources)).version).toBe(1);
    state.now += 2_000;
    await board.current(sources);
    expect(state.reads).toBe(1);
  });

  it("goes on with the last state while Postgres is down, and asks it once a second", async () => {
    const { state, broken, sources, settle } = world();
    const board = new SignalBoard();
    await board.current(sources);
    broken.postgres = true;
    for (let step = 0; step < 500; step++) {
      state.now += 10;
      expect((board.at(state.now) ?? (await board.current(sources))).version).toBe(1);
      await settle();
    }
    expect(state.loads).toBeLessThanOrEqual(8);
    broken.postgres = false;
    state.version = 7;
    state.now += 1_100;
    expect((await board.current(sources)).version).toBe(7);
  });

  it("takes an old copy of the cache where there is nothing else, and refuses where there is not even that", async () => {
    const { state, broken, sources } = world();
    broken.postgres = true;
    await expect(new SignalBoard().current(sources)).rejects.toMatchObject({ code: "unavailable" });
    state.cached = signal(state.now - 300_000, 5);
    expect((await new SignalBoard().current(sources)).version).toBe(5);
  });

  it("asks once for a hundred first requests at the same moment", async () => {
    const { state, sources } = world();
    const board = new SignalBoard();
    const slow = {
      ...sources,
      load: async () => {
        await new Promise((resolve) => setTimeout(resolve, 30));
        return sources.load();
      },
    };
    const all = await Promise.all(Array.from({ length: 100 }, () => board.current(slow)));
    expect(new Set(all.map((seen) => seen.at)).size).toBe(1);
    expect(state.loads).toBe(1);
  });

  it("never goes back to an earlier state that arrives late", async () => {
    const board = new SignalBoard();
    board.take(signal(2_000, 3));
    board.take(signal(1_900, 2));
    board.take(signal(2_100, 2)); // a read that began before the change was committed
    expect(board.at(2_001)?.version).toBe(3);
  });
});
