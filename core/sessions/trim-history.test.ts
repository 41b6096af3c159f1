import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { messageTokens, promptRoom, trimHistory, type Weighed } from "./trim-history.ts";

const user = (tokens: number): Weighed => ({ role: "user", tokens, toolTokens: 0 });
const assistant = (tokens: number, toolTokens = 0): Weighed => ({
  role: "assistant",
  tokens,
  toolTokens,
});
/** What is left, without whether calls are. */
const trimmed = (newestFirst: Iterable<Weighed>, room: number) =>
  trimHistory(newestFirst, room).map(({ message }) => message);

describe("trimming a history", () => {
  test("keeps all of it where there is room, the oldest first", () => {
    const newestFirst = [assistant(4), user(3), assistant(2), user(1)];
    expect(trimmed(newestFirst, 10)).toEqual([user(1), assistant(2), user(3), assistant(4)]);
  });

  test("lets the oldest go first, and begins with a user's message", () => {
    const newestFirst = [assistant(4), user(3), assistant(2), user(1)];
    expect(trimmed(newestFirst, 9)).toEqual([user(3), assistant(4)]);
    expect(trimmed(newestFirst, 7)).toEqual([user(3), assistant(4)]);
    expect(trimmed(newestFirst, 6)).toEqual([]);
    expect(trimmed(newestFirst, 0)).toEqual([]);
    expect(trimmed([], 100)).toEqual([]);
  });

  test("reads no more of it than fits", () => {
    let read = 0;
    const endless = function* () {
      for (;;) {
        read++;
        yield user(10);
      }
    };
    expect(trimmed(endless(), 35)).toHaveLength(3);
    expect(read).toBe(4);
  });

  const callsKept = (newestFirst: Weighed[], room: number, withTools = true) =>
    trimHistory(newestFirst, room, withTools).map(({ calls }) => calls);

  test("keeps calls of tools where there is room, the newer ones first, and half of it at most", () => {
    const newestFirst = [assistant(10, 20), user(10), assistant(10, 20), user(10)];
    expect(callsKept(newestFirst, 80)).toEqual([false, true, false, true]);
    expect(callsKept(newestFirst, 79)).toEqual([false, false, false, true]);
    expect(callsKept(newestFirst, 39)).toEqual([false, false]); // there is no room for the other two
    expect(callsKept(newestFirst, 80, false)).toEqual([false, false, false, false]);
  });

  test("lets older calls go with one that has no room, though they would fit", () => {
    const newestFirst = [assistant(1, 100), user(1), assistant(1, 1), user(1)];
    expect(callsKept(newestFirst, 50)).toEqual([false, false, false, false]);
  });

  test("never exceeds the room with calls either", () => {
    const message = fc.record({
      role: fc.constantFrom("user" as const, "assistant" as const),
      tokens: fc.nat(50),
      toolTokens: fc.nat(50),
    });
    fc.assert(
      fc.property(fc.array(message), fc.nat(500), (newestFirst, room) => {
        const kept = trimHistory(newestFirst, room, true);
        const weight = kept.reduce(
          (sum, { message: { tokens, toolTokens }, calls }) =>
            sum + tokens + (calls ? toolTokens : 0),
          0,
        );
        expect(weight).toBeLessThanOrEqual(room);
        expect(kept.some(({ calls, message: { toolTokens } }) => calls && toolTokens === 0)).toBe(
          false,
        );
      }),
    );
  });

  test("never exceeds the room, keeps order, and leaves no gap", () => {
    const message = fc.record({
      role: fc.constantFrom("user" as const, "assistant" as const),
      tokens: fc.nat(50),
      toolTokens: fc.nat(50),
      id: fc.uuid(),
    });
    fc.assert(
      fc.property(fc.array(message), fc.nat(500), (newestFirst, room) => {
        const kept = trimmed(newestFirst, room);
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
