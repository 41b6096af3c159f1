import { drizzle } from "drizzle-orm/node-postgres";
import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import * as schema from "#schema";
import { createDatabase } from "#test/harness/postgres.ts";
import { noSource } from "../kernel/context.ts";
import { createLogger } from "../kernel/log.ts";
import type { Principal } from "../kernel/principal.ts";
import { chooseTeam } from "./choose-team.ts";
import { countLinks } from "./count-links.ts";
import { createLinkCode } from "./create-link-code.ts";
import { findGuestTeam, GUEST_TEAM_ID } from "./find-guest-team.ts";
import { findLink, listChatTeams } from "./find-link.ts";
import { listLinks } from "./list-links.ts";
import { listLinkedChats } from "./list-linked-chats.ts";
import { moveLink } from "./move-link.ts";
import { redeemLinkCode } from "./redeem-link-code.ts";
import { setChatBlocked } from "./set-chat-blocked.ts";
import type { TelegramContext } from "./telegram-context.ts";
import { unlinkChat } from "./unlink-chat.ts";

let database: { url: string; drop(): Promise<void> };
let pool: pg.Pool;
let now = new Date("2026-11-21T10:00:00Z");
const lines: string[] = [];

beforeAll(async () => {
  database = await createDatabase(inject("postgres"));
  pool = new pg.Pool({ connectionString: database.url });
  pool.on("error", () => undefined);
  pool.on("connect", (client) => client.on("error", () => undefined)); // the database is dropped while they close
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});
beforeEach(async () => {
  now = new Date("2026-11-21T10:00:00Z");
  await pool.query("TRUNCATE teams CASCADE");
  await pool.query("INSERT INTO teams (id, name) VALUES ('team_a', 'Apples'), ('team_b', 'Pears')");
});

const SYSTEM: Principal = { kind: "system", teamId: null };
const keyOf = (teamId: string, scopes: ("admin" | "chat")[] = ["admin"]): Principal => ({
  kind: "key",
  teamId,
  keyId: "key_1",
  scopes,
  models: ["*"],
});

function contextOf(principal: Principal = SYSTEM): TelegramContext {
  const db = drizzle(pool, { schema });
  const base = {
    principal,
    requestId: "req_1",
    source: noSource,
    log: createLogger("debug", (_level, line) => lines.push(line)),
    now: () => now,
  };
  return {
    ...base,
    db,
    transaction: (work) =>
      db.transaction((inner) => work({ ...base, db: inner, inTransaction: true })),
  };
}

const makeCode = (teamId = "team_a") =>
  createLinkCode(contextOf(keyOf(teamId)), { expires_in_seconds: 600 });
const redeem = (code: string, chatId: number) =>
  redeemLinkCode(contextOf(), { code, chatId, userId: 7 });

describe("link codes", () => {
  it("link one chat to the team that made them", async () => {
    const { code } = await makeCode();
    expect(await redeem(code, 100)).toEqual({ teamId: "team_a", teamName: "Apples" });
    expect(await findLink(contextOf(), { chatId: 100 })).toEqual({
      teamId: "team_a",
      teamName: "Apples",
      role: null,
    });
    expect(await findLink(contextOf(), { chatId: 101 })).toBeNull();
  });

  it("serve no second chat, and the same chat again when its update is worked on twice", async () => {
    const { code } = await makeCode();
    await redeem(code, 100);
    expect(await redeem(code, 101)).toBeNull();
    expect(await redeem(code, 100)).toMatchObject({ teamId: "team_a" });
  });

  it("serve exactly one of many chats that use them at the same moment", async () => {
    const { code } = await makeCode();
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, index) => redeem(code, 200 + index)),
    );
    expect(outcomes.filter((outcome) => outcome !== null)).toHaveLength(1);
    expect(await countLinks(contextOf())).toMatchObject({ linked: 1 });
  });

  it("end with their time", async () => {
    const { code, expiresAt } = await makeCode();
    now = expiresAt;
    expect(await redeem(code, 100)).toBeNull();
  });

  it.each(["", "x", "' OR 1=1 --", "0".repeat(24), "A".repeat(24), "0".repeat(4000)])(
    "that nobody made do nothing: %j",
    async (code) => {
      expect(await redeem(code, 100)).toBeNull();
      expect(await countLinks(contextOf())).toMatchObject({ linked: 0 });
    },
  );

  it("give a linked chat another team, which it uses from then on, and the first one stays to be chosen", async () => {
    await redeem((await makeCode("team_a")).code, 100);
    now = new Date(now.getTime() + 1);
    expect(await redeem((await makeCode("team_b")).code, 100)).toMatchObject({ teamId: "team_b" });
    expect(await countLinks(contextOf())).toMatchObject({ linked: 1, teams: 2 });
    expect(await listLinkedChats(contextOf(), { after: null, limit: 5 })).toEqual([100]);
    const names = async () =>
      (await listChatTeams(contextOf(), { chatId: 100 })).map((team) => team.teamName);
    expect(await names()).toEqual(["Pears", "Apples"]);
    now = new Date(now.getTime() + 1);
    const choose = (teamId: string, chatId = 100) =>
      chooseTeam(contextOf(), { chatId, userId: 7, teamId });
    expect(await choose("team_a")).toEqual({ teamId: "team_a", teamName: "Apples", role: null });
    expect(await names()).toEqual(["Apples", "Pears"]);
    expect(await choose("team_c")).toBeNull();
    expect(await choose("team_b", 101)).toBeNull();
    await unlinkChat(contextOf(keyOf("team_a")), { chatId: 100 });
    expect(await findLink(contextOf(), { chatId: 100 })).toMatchObject({ teamId: "team_b" });
  });

  it("are made by the team's admins only, and neither stored nor logged in the clear", async () => {
    await expect(
      createLinkCode(contextOf(keyOf("team_a", ["chat"])), { expires_in_seconds: 600 }),
    ).rejects.toMatchObject({ code: "missing_scope" });
    await expect(
      createLinkCode(contextOf({ kind: "super_admin", teamId: null }), { expires_in_seconds: 600 }),
    ).rejects.toMatchObject({ code: "invalid_request" });
    const { code } = await makeCode();
    const { rows } = await pool.query("SELECT * FROM telegram_link_codes");
    expect(JSON.stringify(rows)).not.toContain(code);
    expect(lines.join("\n")).not.toContain(code);
    expect(rows[0]).toMatchObject({ created_by: "key:key_1", team_id: "team_a" });
  });
});

describe("links", () => {
  it("follow a group to its new id once, and do not overwrite what is linked there", async () => {
    await redeem((await makeCode("team_a")).code, -5);
    await moveLink(contextOf(), { from: -5, to: -1_000_000_000_005 });
    await moveLink(contextOf(), { from: -5, to: -1_000_000_000_005 });
    expect(await findLink(contextOf(), { chatId: -5 })).toBeNull();
    expect(await findLink(contextOf(), { chatId: -1_000_000_000_005 })).toMatchObject({
      teamId: "team_a",
    });
    await redeem((await makeCode("team_b")).code, -6);
    await moveLink(contextOf(), { from: -6, to: -1_000_000_000_005 });
    expect(await findLink(contextOf(), { chatId: -1_000_000_000_005 })).toMatchObject({
      teamId: "team_a",
    });
  });

  it("are listed by rising id without those that cannot be written to", async () => {
    for (const chatId of [30, -10, 20, 10]) await redeem((await makeCode()).code, chatId);
    await setChatBlocked(contextOf(), { chatId: 20, blocked: true });
    expect(await listLinkedChats(contextOf(), { after: null, limit: 2 })).toEqual([-10, 10]);
    expect(await listLinkedChats(contextOf(), { after: 10, limit: 2 })).toEqual([30]);
    expect(await countLinks(contextOf())).toEqual({ linked: 4, blocked: 1, groups: 1, teams: 1 });
    await setChatBlocked(contextOf(), { chatId: 20, blocked: false });
    expect(await listLinkedChats(contextOf(), { after: 10, limit: 2 })).toEqual([20, 30]);
  });

  it("end with unlinking, and with their team", async () => {
    for (const chatId of [1, 2]) await redeem((await makeCode()).code, chatId);
    const [own, other] = [contextOf(keyOf("team_a")), contextOf(keyOf("team_b"))];
    await expect(unlinkChat(other, { chatId: 1 })).rejects.toMatchObject({ code: "not_found" });
    await unlinkChat(own, { chatId: 1 });
    await expect(unlinkChat(own, { chatId: 1 })).rejects.toMatchObject({ code: "not_found" });
    await pool.query("DELETE FROM teams WHERE id = 'team_a'");
    expect(await findLink(contextOf(), { chatId: 2 })).toBeNull();
  });
});

it("shows a team its own chats, page by page", async () => {
  for (const chatId of [3, -2, 1]) await redeem((await makeCode("team_a")).code, chatId);
  await redeem((await makeCode("team_b")).code, 2);
  const own = contextOf(keyOf("team_a"));
  const first = await listLinks(own, { limit: 2 });
  expect(first.items.map((link) => link.chatId)).toEqual([-2, 1]);
  const second = await listLinks(own, { limit: 2, cursor: first.nextCursor ?? "" });
  expect([second.items.map((link) => link.chatId), second.nextCursor]).toEqual([[3], null]);
  await expect(listLinks(contextOf(keyOf("team_a", ["chat"])), { limit: 2 })).rejects.toMatchObject(
    {
      code: "missing_scope",
    },
  );
});

it("makes one guest team, however many guests come first", async () => {
  const found = await Promise.all(Array.from({ length: 10 }, () => findGuestTeam(contextOf())));
  expect(new Set(found.map((team) => team.teamId))).toEqual(new Set([GUEST_TEAM_ID]));
  expect((await pool.query("SELECT 1 FROM teams WHERE id = $1", [GUEST_TEAM_ID])).rowCount).toBe(1);
});
