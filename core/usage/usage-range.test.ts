import { expect, it } from "vitest";
import { AppError } from "../kernel/errors.ts";
import type { Principal } from "../kernel/principal.ts";
import { selectUsage, usageFilter } from "./usage-range.ts";

const now = new Date("2026-11-21T10:20:30.000Z");
const select = (principal: Principal, query: Record<string, string> = {}) =>
  selectUsage(principal, usageFilter.parse(query), now);
const key: Principal = {
  kind: "key",
  teamId: "team_a",
  keyId: "key_a",
  scopes: ["usage:read"],
  models: ["*"],
};
const chat: Principal = {
  kind: "telegram",
  teamId: "team_a",
  chatId: "1",
  endUser: "telegram:7",
  scopes: ["usage:read"],
};

it("shows a key its whole team, and one key of it when asked", () => {
  expect(select(key).columns).toEqual([{ column: "team_id", value: "team_a" }]);
  expect(select(key, { key_id: "key_b" }).columns).toContainEqual({
    column: "key_id",
    value: "key_b",
  });
});

it("shows a Telegram user their own requests only, whomever they ask for", () => {
  for (const query of [{}, { end_user: "telegram:8" }]) {
    expect(select(chat, query as Record<string, string>).columns).toEqual([
      { column: "team_id", value: "team_a" },
      { column: "end_user", value: "telegram:7" },
    ]);
  }
});

it("shows super admins every team, or the one they name", () => {
  expect(select({ kind: "super_admin", teamId: null }).columns).toEqual([]);
  expect(select({ kind: "super_admin", teamId: "team_b" }).columns).toEqual([
    { column: "team_id", value: "team_b" },
  ]);
});

it("takes the last 30 days from a midnight on, or 30 days before a given end", () => {
  expect(select(key)).toMatchObject({ from: new Date("2026-10-22T00:00:00.000Z"), to: now });
  expect(select(key, { to: "2026-02-01" })).toMatchObject({
    from: new Date("2026-01-02T00:00:00.000Z"),
  });
});

it("reads dates as their midnight in UTC and times with their offset", () => {
  const { from, to } = select(key, { from: "2026-11-01", to: "2026-11-02T01:30:00+03:30" });
  expect([from.toISOString(), to.toISOString()]).toEqual([
    "2026-11-01T00:00:00.000Z",
    "2026-11-01T22:00:00.000Z",
  ]);
});

it("refuses a range that is empty, turned round or too long", () => {
  for (const query of [
    { from: "2026-11-21T10:20:30.000Z" },
    { from: "2026-11-02", to: "2026-11-01" },
    { from: "2025-01-01", to: "2026-11-01" },
  ])
    expect(() => select(key, query as Record<string, string>)).toThrow(AppError);
});
