import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AppError } from "../kernel/errors.ts";
import type { Strategy } from "../providers/catalog.ts";
import { modelRouteOf, routeOf } from "#test/providers/routes.ts";
import { planAttempts } from "./plan-attempts.ts";
import { retryPause } from "./retry-pause.ts";

const priced = (provider: string, micros: number, weight = 1) =>
  routeOf(provider, {
    weight,
    prices: { inputPerMillionMicros: micros, outputPerMillionMicros: micros },
  });
const targets = [priced("a", 3, 1), priced("b", 1, 8), priced("c", 2, 1)] as const;

interface Health {
  open?: string[];
  latency?: Record<string, number>;
}

function plan(strategy: Strategy, { open = [], latency = {} }: Health = {}, random = Math.random) {
  return planAttempts({
    route: modelRouteOf(targets, { strategy }),
    standing: ({ provider }) => ({
      open: open.includes(provider),
      latencyMs: latency[provider] ?? null,
    }),
    random,
  })
    .map(({ provider }) => provider)
    .join("");
}

describe("a plan", () => {
  it("keeps the order that was put, or goes by price", () => {
    expect(plan("ordered")).toBe("abc");
    expect(plan("cost")).toBe("bca");
  });

  it("has open circuits last, in every strategy, and leaves nobody out", () => {
    const strategies: Strategy[] = ["ordered", "weighted", "latency", "cost"];
    const letters = fc.subarray(["a", "b", "c"]);
    fc.assert(
      fc.property(fc.constantFrom(...strategies), letters, fc.float(), (strategy, open, seed) => {
        const order = plan(strategy, { open }, () => Math.abs(seed) % 1 || 0);
        expect([...order].sort()).toEqual(["a", "b", "c"]);
        const places = open.map((name) => order.indexOf(name));
        expect(places.every((place) => place >= 3 - open.length)).toBe(true);
      }),
    );
  });

  it("draws by weight", () => {
    const firsts = Array.from({ length: 2_000 }, () => plan("weighted")[0]);
    const share = firsts.filter((name) => name === "b").length / firsts.length;
    expect(share).toBeGreaterThan(0.74);
    expect(share).toBeLessThan(0.86);
  });

  it("takes the faster of two by chance: never the slowest, and not always the fastest", () => {
    const latency = { a: 100, b: 200, c: 900 };
    const firsts = new Set(Array.from({ length: 500 }, () => plan("latency", { latency })[0]));
    expect([...firsts].sort()).toEqual(["a", "b"]);
  });

  it("tries who was never tried", () => {
    const firsts = Array.from(
      { length: 200 },
      () => plan("latency", { latency: { a: 1, b: 1 } })[0],
    );
    expect(firsts).toContain("c");
  });
});

describe("the pause before a retry", () => {
  const failed = (code: "provider_error" | "provider_timeout" | "provider_misconfigured") =>
    new AppError(code, { message: "It failed." });
  const base = { retries: 0, maxRetries: 3, leftMs: 60_000, others: false, random: Math.random };

  it("is bounded, whatever the dice say, and ends before the deadline", () => {
    fc.assert(
      fc.property(
        fc.nat(20),
        fc.integer({ min: 1, max: 10_000 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (retries, leftMs, dice) => {
          const more = { retries, maxRetries: 21, leftMs, random: () => dice };
          const pause = retryPause({ ...base, error: failed("provider_error"), ...more });
          if (pause === null) return;
          expect(pause).toBeGreaterThanOrEqual(0);
          expect(pause).toBeLessThan(Math.min(4_000, 250 * 2 ** retries, leftMs));
        },
      ),
    );
  });

  it("is never shorter than Retry-After, and none at all where that is long or others may answer", () => {
    const asking = (seconds: number) =>
      new AppError("provider_rate_limited", { message: "Wait.", retryAfterSeconds: seconds });
    expect(retryPause({ ...base, error: asking(3) })).toBeGreaterThanOrEqual(3_000);
    expect(retryPause({ ...base, error: asking(6) })).toBeNull();
    expect(retryPause({ ...base, error: asking(3), others: true })).toBeNull();
    expect(retryPause({ ...base, error: asking(3), leftMs: 3_000 })).toBeNull();
  });

  it("is none where asking again is of no use", () => {
    expect(retryPause({ ...base, error: failed("provider_timeout") })).toBeNull();
    expect(retryPause({ ...base, error: failed("provider_misconfigured") })).toBeNull();
    expect(retryPause({ ...base, error: failed("provider_error"), retries: 3 })).toBeNull();
  });
});
