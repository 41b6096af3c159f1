import { describe, expect, test } from "vitest";
import type { Principal } from "../kernel/principal.ts";
import type { Scope } from "../kernel/scopes.ts";
import { keyModels, keyScopes, requireMayGrant } from "./key.ts";
import { principalOf } from "./key-record.ts";

const holder = (scopes: Scope[], models: string[]): Principal => ({
  kind: "key",
  teamId: "team_1",
  keyId: "key_1",
  scopes,
  models,
});

describe("what a key may give", () => {
  test.each<[Principal, { scopes?: Scope[]; models?: string[] }]>([
    [holder(["admin"], ["*"]), { scopes: ["admin", "chat"], models: ["*", "m"] }],
    [holder(["chat"], ["m"]), { scopes: ["chat"], models: ["m"] }],
    [holder(["chat"], []), { models: [] }],
    [holder(["chat"], []), {}],
    [
      { kind: "super_admin", teamId: null },
      { scopes: ["admin"], models: ["*"] },
    ],
  ])("%j may give %j", (principal, grant) => {
    expect(() => requireMayGrant(principal, grant)).not.toThrow();
  });

  test.each<[Principal, { scopes?: Scope[]; models?: string[] }, string]>([
    [holder(["chat"], ["*"]), { scopes: ["chat", "admin"] }, '"admin"'],
    [holder(["admin"], ["m"]), { models: ["*"] }, "all models"],
    [holder(["admin"], ["m"]), { models: ["m", "n"] }, '"n"'],
    [holder(["admin"], []), { models: ["m"] }, '"m"'],
    [
      { kind: "telegram", teamId: "team_1", chatId: "1", endUser: "1", scopes: ["chat"] },
      { scopes: ["chat"] },
      "chat",
    ],
    [{ kind: "system", teamId: null }, { models: ["m"] }, '"m"'],
  ])("%j may not give %j", (principal, grant, what) => {
    expect(() => requireMayGrant(principal, grant)).toThrow(what);
  });
});

test("scopes and models are kept once each", () => {
  expect(keyScopes.parse(["chat", "admin", "chat"])).toEqual(["chat", "admin"]);
  expect(keyModels.parse(["m", "*", "m"])).toEqual(["m", "*"]);
});

describe("whoever holds a key", () => {
  const record = {
    keyId: "key_1",
    teamId: "team_1",
    scopes: ["chat" as const],
    models: ["*"],
    enabled: true,
    revoked: false,
    expiresAt: 1_000,
    access: null,
    epoch: 1,
  };

  test("acts for its team until the very moment of its end", () => {
    expect(principalOf(record, 999)).toMatchObject({ kind: "key", teamId: "team_1" });
    expect(() => principalOf(record, 1_000)).toThrow("1970-01-01T00:00:01.000Z");
  });

  test("is told of a revocation first, since that is for good", () => {
    const ended = { ...record, revoked: true, enabled: false };
    expect(() => principalOf(ended, 2_000)).toThrow("revoked");
    expect(() => principalOf({ ...record, enabled: false }, 2_000)).toThrow("expired");
    expect(() => principalOf({ ...record, enabled: false }, 1)).toThrow("switched off");
  });
});
