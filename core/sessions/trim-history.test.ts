import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { messageTokens, promptRoom, trimHistory, type Weighed } from "./trim-history.ts";

const user = (tokens: number): Weighed => ({ role: "user", tokens });
const assistant = (tokens: number): Weighed => ({ role: "assistant", tokens });

describe("trimming a history", () => {
  test("keeps all of it where there is room, the oldest first", () => {
    const newestFirst = [assistant(4), user(3), assistant(2), user(1)];
    expect(trimHistory(newestFirst, 10)).toEqual([user(1), assistant(2), user(3), assistant(4)]);
  });

  test("lets the oldest go first, and begins with a user's message", () => {
    const newestFirst = [assistant(4), user(3), assistant(2), user(1)];
    expect(trimHistory(newestFirst, 9)).toEqual([user(3), assistant(4)]);
    expect(trimHistory(newestFirst, 7)).toEqual([user(3), assistant(4)]);
    expect(trimHistory(newestFirst, 6)).toEqual([]);
    expect(trimHistory(newestFirst, 0)).toEqual([]);
    expect(trimHistory([], 100)).toEqual([]);
  });

  test("reads no more of it than fits", () => {
    let read = 0;
    const endless = function* () {
      for (;;) {
        read++;
        yield user(10);
      }
    };
    expect(trimHistory(endless(), 35)).toHaveLength(3);
    expect(read).toBe(4);
  });

  test("never exceeds the room, keeps order, and leaves no gap", () => {
    const message = fc.record({
      role: fc.constantFrom("user" as const, "assistant" as const),
      tokens: fc.nat(50),
      id: fc.uuid(),
    });
    fc.assert(
      fc.property(fc.array(message), fc.nat(500), (newestFirst, room) => {
        const kept = trimHistory(newestFirst, room);
        expect(kept.reduce((sum, { tokens }) => sum + tokens, 0)).toBeLessThanOrEqual(room);
        expect(kept.toReversed()).toEqual(newestFirst.slice(0, kept.length));
        expect(kept[0]?.role ?? "user").toBe("user");
      }),
    );
  });
});

test("a model's room for the prompt is its context, less what its answer may take, a quarter at most", () => {
  expect(promptRoom({ contextTokens: 100_000, maxOutputTokens: 16_000 })).toBe(84_000);
  expect(promptRoom({ contextTokens: 100_000, maxOutputTokens: 64_000 })).toBe(75_000);
  expect(promptRoom({ contextTokens: 100_000, maxOutputTokens: null })).toBe(95_904);
  expect(promptRoom({ contextTokens: 8_192, maxOutputTokens: null })).toBe(6_144);
  expect(promptRoom({ contextTokens: null, maxOutputTokens: null })).toBe(123_904);
});

test("a message weighs more the longer it is, and a picture does not weigh what its bytes do", () => {
  expect(messageTokens("user", "word ".repeat(1_000))).toBeGreaterThan(900);
  const url = `data:image/png;base64,${"A".repeat(1_000_000)}`;
  const weight = messageTokens("user", [{ type: "image_url", image_url: { url } }]);
  expect(weight).toBeGreaterThan(50);
  expect(weight).toBeLessThan(5_000);
});
