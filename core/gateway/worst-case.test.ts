import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { estimatePromptTokens } from "../chat/estimate-tokens.ts";
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

describe("the bound of output that would fit", () => {
  it("is the largest one whose worst case does, for any prices, choices and copies", () => {
    const price = fc.integer({ min: 0, max: 90 });
    const request = fc.record({
      text: fc.string({ maxLength: 50 }),
      n: fc.constantFrom(undefined, 1, 3),
      targets: fc.array(fc.tuple(price, price), { minLength: 1, maxLength: 3 }),
      copies: fc.constantFrom(1, 2),
      unit: fc.constantFrom("tokens" as const, "usd" as const),
      room: fc.integer({ min: 0, max: 5_000 }),
    });
    fc.assert(
      fc.property(request, ({ text, n, targets, copies, unit, room }) => {
        const raw = { ...says(text), n, max_tokens: 1 };
        const routes = targets.map(([input, output]) => target(input, output));
        const takes = (cap: number) => {
          const worst = worstCase({ ...raw, max_tokens: cap }, routes, copies);
          return unit === "tokens" ? worst.tokens : worst.micros;
        };
        const fitting = fittingOutput(raw, { targets: routes, copies }, unit, room);
        if (fitting === null) expect(takes(1)).toBeGreaterThan(room);
        else {
          expect(takes(fitting)).toBeLessThanOrEqual(room);
          const isFree = unit === "usd" && targets.every(([, output]) => output === 0);
          if (!isFree) expect(takes(fitting + 1)).toBeGreaterThan(room);
        }
      }),
    );
  });
});
