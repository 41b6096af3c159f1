import { describe, expect, it } from "vitest";
import { median, takeTurns } from "./rounds.ts";

describe("takeTurns", () => {
  it("starts each round with the next subject, so that nobody always follows the same one", async () => {
    const turns: string[] = [];
    await takeTurns({
      subjects: ["a", "b", "c"],
      rounds: 3,
      measure: async (subject) => {
        turns.push(subject);
        return {};
      },
    });
    expect(turns.join("")).toBe("abc" + "bca" + "cab" + "abc");
  });

  it("lets subjects never overlap, not even with what follows a turn", async () => {
    let running = 0;
    let most = 0;
    const work = async () => {
      most = Math.max(most, ++running);
      await Promise.resolve();
      running--;
    };
    await takeTurns({
      subjects: ["a", "b"],
      rounds: 2,
      measure: async () => {
        await work();
        return {};
      },
      afterTurn: work,
    });
    expect(most).toBe(1);
  });

  it("leaves the warm-up out and takes the median of the rounds for each figure by itself", async () => {
    const rps = [1_000_000, 10, 30, 20];
    const p99 = [0, 7, 5, 6];
    const results = await takeTurns({
      subjects: ["a"],
      rounds: 3,
      measure: async () => ({ rps: rps.shift() ?? 0, p99_ms: p99.shift() ?? 0 }),
    });
    expect(results.get("a")).toEqual({ rps: 20, p99_ms: 6 });
  });
});

describe("median", () => {
  it("lies between the two middle ones of an even number of values", () => {
    expect(median([4, 1, 3, 100])).toBe(3.5);
  });
});
