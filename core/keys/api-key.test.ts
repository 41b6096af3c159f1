import { crc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { generateApiKey, hashApiKey, isWellFormedApiKey, shownPrefix } from "./api-key.ts";

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

describe("API keys", () => {
  test("are well formed, and no two are the same", () => {
    const keys = Array.from({ length: 1_000 }, generateApiKey);
    expect(keys.every(isWellFormedApiKey)).toBe(true);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys.every((key) => /^sy_live_[0-9A-Za-z]{38}$/.test(key))).toBe(true);
  });

  test("use every character about as often as any other", () => {
    const counts = new Map<string, number>();
    for (let i = 0; i < 2_000; i++)
      for (const character of generateApiKey().slice(8, 40))
        counts.set(character, (counts.get(character) ?? 0) + 1);
    const expected = (2_000 * 32) / 62;
    expect(counts.size).toBe(62);
    for (const count of counts.values()) {
      expect(count).toBeGreaterThan(expected * 0.75);
      expect(count).toBeLessThan(expected * 1.25);
    }
  });

  test("with one character mistyped are refused", () => {
    const position = fc.integer({ min: 8, max: 45 });
    const character = fc.constantFrom(...ALPHABET.split(""));
    fc.assert(
      fc.property(position, character, (at, other) => {
        const key = generateApiKey();
        fc.pre(key[at] !== other);
        expect(isWellFormedApiKey(key.slice(0, at) + other + key.slice(at + 1))).toBe(false);
      }),
    );
  });

  test("with two neighbours swapped are refused", () => {
    fc.assert(
      fc.property(fc.integer({ min: 8, max: 44 }), (at) => {
        const key = generateApiKey();
        const [a = "", b = ""] = key.slice(at, at + 2);
        fc.pre(a !== b);
        expect(isWellFormedApiKey(key.slice(0, at) + b + a + key.slice(at + 2))).toBe(false);
      }),
    );
  });

  test.each([
    (key: string) => key.slice(0, -1),
    (key: string) => `${key}0`,
    (key: string) => ` ${key}`,
    (key: string) => `${key}\n`,
    (key: string) => key.replace("sy_live_", "sy_test_"),
    (key: string) => key.toUpperCase(),
    () => "",
    () => "sy_live_",
    () => `sy_live_${"0".repeat(38)}`,
  ])("cut, padded or in another form are refused: %s", (spoil) => {
    expect(isWellFormedApiKey(spoil(generateApiKey()))).toBe(false);
  });

  test("end with the CRC-32 that zlib computes, so that a known key stays valid for ever", () => {
    expect(isWellFormedApiKey("sy_live_0123456789ABCDEFGHIJKLMNOPQRSTUV3zpR9z")).toBe(true);
    const key = generateApiKey();
    let value = 0;
    for (const digit of key.slice(-6)) value = value * 62 + ALPHABET.indexOf(digit);
    expect(value).toBe(crc32(key.slice(0, -6)));
  });

  test("are shown by twelve characters, which leave 170 random bits unknown", () => {
    const key = generateApiKey();
    expect(shownPrefix(key)).toBe(key.slice(0, 12));
  });

  test("are stored as SHA-256 in hex", async () => {
    expect(await hashApiKey("abc")).toBe(
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
  });
});
