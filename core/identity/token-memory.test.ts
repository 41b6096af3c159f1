import { expect, test } from "vitest";
import { TokenMemory } from "./token-memory.ts";
import type { VerifiedToken } from "./verify-token.ts";

const token: VerifiedToken = {
  issuer: "https://id.example.com",
  subject: "ann",
  email: null,
  name: null,
  teams: ["team_a"],
  permissions: ["chat"],
  models: ["*"],
  endUser: "ann",
  expiresAt: 1_000,
  person: "p",
  membership: null,
};

test("remembers a token until it expires, and not in the millisecond in which it does", () => {
  const memory = new TokenMemory();
  memory.keep("text", "d", { token, keysVersion: 1 });
  expect(memory.find("d", 999, () => 1)).toBe(token);
  expect(memory.find("other", 999, () => 1)).toBe(null);
  expect(memory.find("d", 1_000, () => 1)).toBe(null);
});

test.each([2, null])(
  "forgets what was verified by keys that its issuer has no more (now %s)",
  (version) => {
    const memory = new TokenMemory();
    memory.keep("text", "d", { token, keysVersion: 1 });
    expect(memory.find("d", 0, () => version)).toBe(null);
    expect(memory.find("d", 0, () => 1)).toBe(null);
  },
);

test("holds no more than its limit", () => {
  const memory = new TokenMemory(2);
  for (const digest of ["a", "b", "c"])
    memory.keep(`text of ${digest}`, digest, { token, keysVersion: 1 });
  expect(["a", "b", "c"].map((digest) => memory.find(digest, 0, () => 1) !== null)).toEqual([
    false,
    true,
    true,
  ]);
});

test("makes the digest of a good token once", async () => {
  const memory = new TokenMemory();
  const digest = await memory.digestOf("text");
  expect(digest).toMatch(/^[0-9a-f]{64}$/);
  expect(memory.digestOf("text")).toBeInstanceOf(Promise); // not known to be good
  memory.keep("text", digest, { token, keysVersion: 1 });
  expect(memory.digestOf("text")).toBe(digest);
});
