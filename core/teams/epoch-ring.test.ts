import { describe, expect, test } from "vitest";
import type { KeyRecord } from "../keys/key-record.ts";
import { type CachedRecord, EpochRing, type RecordSources } from "./epoch-ring.ts";

const record = (changes: Partial<KeyRecord> = {}): KeyRecord => ({
  keyId: "key_1",
  teamId: "team_1",
  scopes: ["chat"],
  models: ["*"],
  enabled: true,
  revoked: false,
  expiresAt: null,
  access: null,
  epoch: 1,
  ...changes,
});

const newRing = (limit = 20_000) =>
  new EpochRing<KeyRecord>({ of: "key", unknownMs: 60_000, limit });

/** A database, a shared cache and a Meter that a test sets as it likes, with a clock that stands until it is moved. */
class World {
  time = 1_000_000;
  epochValue = 1;
  readonly database = new Map<string, KeyRecord>();
  readonly cache = new Map<string, CachedRecord<KeyRecord>>();
  readonly calls = { load: 0, cache: 0, epoch: 0 };
  broken: ("database" | "meter")[] = [];
  private pending: Promise<unknown>[] = [];

  readonly sources: RecordSources<KeyRecord> = {
    readCache: async (hash) => {
      this.calls.cache++;
      return this.cache.get(hash) ?? null;
    },
    writeCache: async (hash, cached) => void this.cache.set(hash, cached),
    load: async (hash) => {
      this.calls.load++;
      if (this.broken.includes("database")) throw new Error("database");
      return this.database.get(hash) ?? null;
    },
    epoch: async () => {
      this.calls.epoch++;
      if (this.broken.includes("meter")) throw new Error("meter");
      return this.epochValue;
    },
    background: (work) => void this.pending.push(work),
    now: () => this.time,
  };

  /** What a committed change does: a new row under the next epoch, which the Meter is told. */
  change(hash: string, changes: Partial<KeyRecord>): void {
    this.epochValue += 1;
    this.database.set(hash, record({ ...changes, epoch: this.epochValue }));
  }

  async settle(): Promise<void> {
    while (this.pending.length > 0) await this.pending.pop();
  }
}

function warmWorld(): {
  world: World;
  ring: EpochRing<KeyRecord>;
  find: () => Promise<KeyRecord | null>;
} {
  const world = new World();
  world.database.set("h", record());
  const ring = newRing();
  const find = async () => {
    const found = await ring.find("h", world.sources);
    await world.settle();
    return found;
  };
  return { world, ring, find };
}

describe("a key that is known", () => {
  test("costs nothing while its record and the epoch are fresh", async () => {
    const { world, find } = warmWorld();
    await find();
    const before = { ...world.calls };
    world.time += 400;
    for (let i = 0; i < 100; i++) expect(await find()).toEqual(record());
    expect(world.calls).toEqual(before);
  });

  test("asks for the epoch once in the background before it gets old", async () => {
    const { world, ring } = warmWorld();
    await ring.find("h", world.sources);
    await world.settle();
    world.time += 600;
    const before = world.calls.epoch;
    for (let i = 0; i < 10; i++) await ring.find("h", world.sources);
    await world.settle();
    expect(world.calls.epoch).toBe(before + 1);
  });

  test.each([1_001, 5_000, 59_000, 400_000])(
    "is not believed under an epoch that is %i ms old",
    async (age) => {
      const { world, find } = warmWorld();
      await find();
      world.change("h", { revoked: true });
      world.time += age;
      expect((await find())?.revoked).toBe(true);
    },
  );

  test("is read again in the background after ten seconds, without making anybody wait", async () => {
    const { world, ring } = warmWorld();
    await ring.find("h", world.sources);
    await world.settle();
    world.database.set("h", record({ models: ["m"] })); // a change that announced no epoch
    world.time += 10_500;
    expect((await ring.find("h", world.sources))?.models).toEqual(["*"]);
    await world.settle();
    expect((await ring.find("h", world.sources))?.models).toEqual(["m"]);
  });

  test("serves on while the database is away, for ten minutes", async () => {
    const { world, find } = warmWorld();
    await find();
    world.cache.clear();
    world.broken = ["database"];
    world.time += 599_000;
    expect(await find()).toEqual(record());
    world.time += 2_000;
    await expect(find()).rejects.toThrow("database");
  });
});

describe("a change", () => {
  test("makes what the isolate holds and what the shared cache holds void", async () => {
    const { world, find } = warmWorld();
    await find();
    world.change("h", { revoked: true });
    world.time += 1_001;
    expect((await find())?.revoked).toBe(true);
    expect(world.cache.get("h")).toMatchObject({ record: { revoked: true, epoch: 2 } });
  });

  test("is not undone by a stale record that a slow isolate writes to the cache afterwards", async () => {
    const { world, ring } = warmWorld();
    world.change("h", { revoked: true });
    world.cache.set("h", { record: record({ epoch: 1 }) });
    expect((await ring.find("h", world.sources))?.revoked).toBe(true);
  });

  test("that deleted the key makes it unknown", async () => {
    const { world, find } = warmWorld();
    await find();
    world.database.delete("h");
    world.epochValue = Number.MAX_SAFE_INTEGER;
    world.time += 1_001;
    expect(await find()).toBeNull();
    expect(await find()).toBeNull();
  });

  test("that came while Postgres was slow to answer holds a second after it, not after the answer", async () => {
    const { world, ring } = warmWorld();
    const slow: RecordSources<KeyRecord> = {
      ...world.sources,
      async load(hash) {
        const answer = await world.sources.load(hash);
        world.time += 900; // the answer takes its time, and meanwhile:
        world.change("h", { revoked: true });
        return answer;
      },
    };
    expect((await ring.find("h", slow))?.revoked).toBe(false);
    await world.settle();
    world.time += 101;
    expect((await ring.find("h", world.sources))?.revoked).toBe(true);
  });

  test("is seen in Postgres even before the Meter was told, and not forgotten again", async () => {
    const { world, find } = warmWorld();
    world.database.set("h", record({ epoch: 7 }));
    expect((await find())?.epoch).toBe(7);
    world.time += 1_001; // the Meter still says 1
    expect((await find())?.epoch).toBe(7);
  });
});

describe("a key that nobody knows", () => {
  test("is looked up once a minute, not once a request", async () => {
    const world = new World();
    const ring = newRing();
    for (let i = 0; i < 50; i++) expect(await ring.find("x", world.sources)).toBeNull();
    expect(world.calls).toEqual({ load: 1, cache: 1, epoch: 0 });
    await world.settle();
    expect(world.cache.get("x")).toEqual({ record: null });
    world.time += 60_001;
    world.cache.clear();
    world.database.set("x", record());
    expect(await ring.find("x", world.sources)).toEqual(record());
  });

  test("is known from the shared cache without a look into Postgres", async () => {
    const world = new World();
    world.cache.set("x", { record: null });
    expect(await newRing().find("x", world.sources)).toBeNull();
    expect(world.calls.load).toBe(0);
  });
});

describe("with the Meter out of reach", () => {
  test("a known key goes on for a minute, then asks to try again", async () => {
    const { world, find } = warmWorld();
    await find();
    world.broken = ["meter"];
    world.time += 59_000;
    expect(await find()).toEqual(record());
    world.time += 2_000;
    await expect(find()).rejects.toMatchObject({ code: "unavailable", retryAfterSeconds: 1 });
  });

  test("only the first request waits for it, until it answers again", async () => {
    const { world, ring, find } = warmWorld();
    await find();
    world.broken = ["meter"];
    world.time += 1_500;
    await find();
    // From now on it does not even answer, and whoever waits for it waits for ever.
    let answer = (_epoch: number): void => undefined;
    const silent = new Promise<number>((resolve) => (answer = resolve));
    const sources = { ...world.sources, epoch: () => silent };
    for (let second = 0; second < 20; second++) {
      world.time += 1_000;
      expect(await ring.find("h", sources)).toEqual(record());
    }
    answer(1);
    await world.settle();
    world.broken = [];
    world.change("h", { revoked: true });
    world.time += 1_001;
    expect((await find())?.revoked).toBe(true);
  });

  test("an isolate that does not know the key reads it from Postgres, which has its epoch too", async () => {
    const { world, find } = warmWorld();
    world.broken = ["meter"];
    expect(await find()).toEqual(record());
  });

  test("a record of the shared cache alone is not believed", async () => {
    const world = new World();
    world.cache.set("h", { record: record() });
    world.broken = ["meter"];
    await expect(newRing().find("h", world.sources)).rejects.toMatchObject({
      code: "unavailable",
    });
  });
});

test("an isolate holds no more keys than its limit", async () => {
  const world = new World();
  const ring = newRing(2);
  for (const hash of ["a", "b", "c"]) {
    world.database.set(hash, record({ keyId: hash }));
    await ring.find(hash, world.sources);
  }
  await world.settle();
  world.cache.clear();
  const before = world.calls.load;
  await ring.find("c", world.sources);
  expect(world.calls.load).toBe(before);
  await ring.find("a", world.sources);
  expect(world.calls.load).toBe(before + 1);
});

test("a forgotten key is looked up again", async () => {
  const { world, ring, find } = warmWorld();
  await find();
  ring.forget("h");
  world.cache.clear();
  world.database.set("h", record({ models: [] }));
  expect((await find())?.models).toEqual([]);
});
