import { describe, expect, it } from "vitest";
import type { StoredRails } from "./load-guard-rails.ts";
import { RailBook, type RailSources } from "./rail-book.ts";
import { guardRail } from "./rules.ts";

const stored = (digest: string, phrase = "falcon"): StoredRails => ({
  rules: [guardRail.parse({ name: digest, phrases: [phrase], action: "deny" })],
  digest,
});

/** Sources that note what they were asked for. */
function sourcesOf(cache: Record<string, StoredRails>, database: StoredRails | null) {
  const asked: string[] = [];
  const sources: RailSources = {
    readCache: async (name) => {
      asked.push(`read ${name}`);
      return cache[name] ?? null;
    },
    writeCache: async (name, rails) => {
      asked.push(`write ${name}`);
      cache[name] = rails;
    },
    load: async (teamId) => {
      asked.push(`load ${teamId}`);
      return database;
    },
    background: (work) => void work.catch(() => undefined),
  };
  return { sources, asked };
}

describe("the rules of a digest", () => {
  it("come from the database once, and then from the cache of all isolates", async () => {
    const cache = {};
    const first = sourcesOf(cache, stored("one"));
    const book = new RailBook();
    expect(book.get("team", "one")).toBeNull();
    const rails = await book.load("team", "one", first.sources);
    expect(rails?.input?.deny).not.toBeNull();
    expect(book.get("team", "one")).toBe(rails);
    expect(first.asked).toEqual(["read rails:team:one", "load team", "write rails:team:one"]);
    const second = sourcesOf(cache, null);
    expect((await new RailBook().load("team", "one", second.sources))?.digest).toBe("one");
    expect(second.asked).toEqual(["read rails:team:one"]);
  });

  it("give way to those that took their place, or to none", async () => {
    const book = new RailBook();
    const newer = sourcesOf({}, stored("two"));
    expect((await book.load("team", "one", newer.sources))?.digest).toBe("two");
    expect(book.get("team", "two")?.digest).toBe("two");
    expect(book.get("team", "one")).toBeNull();
    expect(await book.load("team", "one", sourcesOf({}, null).sources)).toBeNull();
  });

  it("are not taken from a cache that holds something else under their name", async () => {
    const { sources } = sourcesOf({ "rails:team:one": stored("other") }, stored("one"));
    expect((await new RailBook().load("team", "one", sources))?.digest).toBe("one");
  });

  it("of one team are not another's", async () => {
    const book = new RailBook();
    await book.load("team", "one", sourcesOf({}, stored("one")).sources);
    expect(book.get("other", "one")).toBeNull();
  });

  it("make room for those that are used later, the ones used longest ago first", async () => {
    const book = new RailBook();
    for (let team = 0; team < 200; team++) {
      await book.load(`team${team}`, "one", sourcesOf({}, stored("one")).sources);
      expect(book.get("team0", "one")).not.toBeNull(); // it is used all the time
    }
    const held = Array.from({ length: 200 }, (_, team) => book.get(`team${team}`, "one"));
    expect(held.filter((rails) => rails !== null).length).toBeLessThan(150);
    expect(held[199]).not.toBeNull();
    expect(held[1]).toBeNull();
  });
});
