import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { estimatePromptTokens } from "../chat/estimate-tokens.ts";
import { costMicros } from "../kernel/money.ts";
import { lostTokens } from "./hedge.ts";
import { readUsage } from "./usage-tally.ts";
import { DEFAULT_OUTPUT_CAP, fittingOutput, worstCase } from "./worst-case.ts";

const target = (input: number, output: number, maxOutputTokens: number | null = null) => ({
  prices: { inputPerMillionMicros: input * 1e6, outputPerMillionMicros: output * 1e6 },
  maxOutputTokens,
});
const says = (content: unknown) => ({ model: "m", messages: [{ role: "user", content }] });

describe("the worst case of a request", () => {
  it("has at least a token for each byte of its texts, in any script", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const bytes = new TextEncoder().encode(text).length;
        const { tokens, outputCap } = worstCase(says(text), [target(1, 1)]);
        expect(tokens - outputCap).toBeGreaterThanOrEqual(bytes);
        expect(tokens - outputCap).toBeGreaterThanOrEqual(
          estimatePromptTokens([{ role: "user", content: text }]),
        );
      }),
    );
  });

  it("takes the client's bound, else the model's maximum, else a default, for each choice and copy", () => {
    const input = worstCase(says("hi"), [target(0, 0)]).tokens - DEFAULT_OUTPUT_CAP;
    const capOf = (more: object, max: number | null) =>
      worstCase({ ...says("hi"), ...more }, [target(0, 1, max)]);
    expect(capOf({}, null).outputCap).toBe(DEFAULT_OUTPUT_CAP);
    expect(capOf({}, 900)).toMatchObject({ outputCap: 900, micros: 900, tokens: input + 900 });
    expect(capOf({ max_tokens: 7 }, 900)).toMatchObject({ outputCap: 7, micros: 7 });
    expect(capOf({ max_completion_tokens: 9, n: 3 }, null)).toMatchObject({ micros: 27 });
    expect(capOf({ max_completion_tokens: 1, max_tokens: 800 }, 900).micros).toBe(800);
    const hedged = worstCase({ ...says("hi"), max_tokens: 10 }, [target(0, 1)], 2);
    expect(hedged.micros).toBe(20);
  });

  it("counts the dearest of the targets", () => {
    const request = { ...says("hi"), max_tokens: 100 };
    expect(worstCase(request, [target(0, 1), target(0, 5), target(0, 2)]).micros).toBe(500);
  });

  it("counts a picture by a fixed amount, not by its bytes", () => {
    const url = `data:image/png;base64,${"A".repeat(1_000_000)}`;
    const picture = [{ type: "image_url", image_url: { url } }];
    const { tokens, outputCap } = worstCase(says(picture), [target(1, 1)]);
    expect(tokens - outputCap).toBeLessThan(6_000);
  });
});

/** A price in dollars for a million tokens. */
const price = fc.integer({ min: 0, max: 90 });
const optionalPrice = fc.option(price, { nil: undefined });
const prices = fc
  .tuple(price, price, optionalPrice, optionalPrice, optionalPrice)
  .map(([input, output, read, write, write1h]) => ({
    inputPerMillionMicros: input * 1e6,
    outputPerMillionMicros: output * 1e6,
    ...(read === undefined ? {} : { cachedInputPerMillionMicros: read * 1e6 }),
    ...(write === undefined ? {} : { cacheWritePerMillionMicros: write * 1e6 }),
    ...(write1h === undefined ? {} : { cacheWrite1hPerMillionMicros: write1h * 1e6 }),
  }));
/** What a provider may say of its cache, true or not. */
const told = fc.oneof(
  fc.integer({ min: -10, max: 3_000 }),
  fc.constantFrom(undefined, null, "7", 1.5, Number.MAX_SAFE_INTEGER),
);

describe("what is charged", () => {
  it("is never more than what was set aside, whatever the provider's cache read, wrote and cost", () => {
    const request = fc.record({
      text: fc.string({ maxLength: 300 }),
      n: fc.integer({ min: 1, max: 3 }),
      cap: fc.integer({ min: 1, max: 500 }),
      targets: fc.array(prices, { minLength: 1, maxLength: 3 }),
      answeredBy: fc.nat(2),
      isHedged: fc.boolean(),
      input: fc.double({ min: 0, max: 1, noNaN: true }),
      output: fc.double({ min: 0, max: 1, noNaN: true }),
      details: fc.record({
        cached_tokens: told,
        cache_write_tokens: told,
        cache_write_1h_tokens: told,
      }),
    });
    fc.assert(
      fc.property(request, ({ text, n, cap, targets, answeredBy, isHedged, ...said }) => {
        const routes = targets.map((own) => ({ prices: own, maxOutputTokens: null }));
        const copies = isHedged ? 2 : 1;
        const worst = worstCase({ ...says(text), n, max_tokens: cap }, routes, copies);
        const most = worst.tokens / copies - cap * n;
        const tokens = readUsage({
          prompt_tokens: Math.floor(said.input * most),
          completion_tokens: Math.floor(said.output * cap * n),
          prompt_tokens_details: said.details,
        });
        if (!tokens) throw new Error("This is no usage");
        const [by, lost] = [0, 1].map((more) => targets[(answeredBy + more) % targets.length]);
        if (!by || !lost) throw new Error("There is no target");
        const charged =
          costMicros(tokens, by) + (isHedged ? costMicros(lostTokens(tokens), lost) : 0);
        expect(charged).toBeLessThanOrEqual(worst.micros);
        expect(charged).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("the bound of output that would fit", () => {
  it("is the largest one whose worst case does, for any prices, choices and copies", () => {
    const request = fc.record({
      text: fc.string({ maxLength: 50 }),
      n: fc.constantFrom(undefined, 1, 3),
      targets: fc.array(prices, { minLength: 1, maxLength: 3 }),
      copies: fc.constantFrom(1, 2),
      unit: fc.constantFrom("tokens" as const, "usd" as const),
      room: fc.integer({ min: 0, max: 5_000 }),
    });
    fc.assert(
      fc.property(request, ({ text, n, targets, copies, unit, room }) => {
        const raw = { ...says(text), n, max_tokens: 1 };
        const routes = targets.map((own) => ({ prices: own, maxOutputTokens: null }));
        const takes = (cap: number) => {
          const worst = worstCase({ ...raw, max_tokens: cap }, routes, copies);
          return unit === "tokens" ? worst.tokens : worst.micros;
        };
        const fitting = fittingOutput(raw, { targets: routes, copies }, unit, room);
        if (fitting === null) expect(takes(1)).toBeGreaterThan(room);
        else {
          expect(takes(fitting)).toBeLessThanOrEqual(room);
          const isFree =
            unit === "usd" && targets.every(({ outputPerMillionMicros: output }) => output === 0);
          if (!isFree) expect(takes(fitting + 1)).toBeGreaterThan(room);
        }
      }),
    );
  });
});
