import { describe, expect, it } from "vitest";
import { chatScopes } from "../telegram/chat-scopes.ts";
import {
  hasScope,
  mayUseModel,
  type Principal,
  requireScope,
  requireSuperAdmin,
  requireTeam,
} from "./principal.ts";
import { SCOPES } from "./scopes.ts";

const key = (scopes: readonly (typeof SCOPES)[number][], models: string[] = ["*"]): Principal => ({
  kind: "key",
  teamId: "team_a",
  keyId: "key_a",
  scopes,
  models,
});

describe("what a principal may do", () => {
  it("is what its scopes name, and all of it with admin", () => {
    expect(hasScope(key(["chat"]), "chat")).toBe(true);
    expect(hasScope(key(["chat"]), "sessions")).toBe(false);
    for (const scope of SCOPES) expect(hasScope(key(["admin"]), scope)).toBe(true);
    for (const scope of SCOPES)
      expect(hasScope({ kind: "super_admin", teamId: null }, scope)).toBe(true);
  });

  it("never includes managing the team for a Telegram chat", () => {
    const chat: Principal = {
      kind: "telegram",
      teamId: "team_a",
      chatId: "1",
      endUser: "telegram:1",
      scopes: chatScopes({ guest: false, role: "owner" }),
    };
    expect(hasScope(chat, "chat")).toBe(true);
    expect(hasScope(chat, "admin")).toBe(false);
    expect(hasScope({ ...chat, scopes: chatScopes({ guest: true }) }, "jobs")).toBe(false);
  });

  it("is told by name where a scope is missing", () => {
    expect(() => requireScope(key(["chat"]), "usage:read")).toThrow(/usage:read/);
    expect(() => requireSuperAdmin(key(["admin"]))).toThrow(/super admin/);
  });

  it("includes only the models of a key that names some", () => {
    expect(mayUseModel(key(["chat"], ["a"]), "a")).toBe(true);
    expect(mayUseModel(key(["chat"], ["a"]), "b")).toBe(false);
    expect(mayUseModel(key(["chat"], []), "a")).toBe(false);
  });

  it("needs a team where something has to be charged", () => {
    expect(requireTeam(key(["chat"]))).toBe("team_a");
    expect(() => requireTeam({ kind: "super_admin", teamId: null })).toThrow(/x-team-id/);
  });
});
