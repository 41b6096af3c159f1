import { beforeEach, expect, it } from "vitest";
import { openNodeSql } from "#test/telegram/node-sql.ts";
import { type BroadcastProgress, Broadcasts, CHATS_A_STEP } from "./broadcasts.ts";
import { MOST_OUTGOING, Outbox } from "./outbox.ts";
import type { SqlDatabase } from "./sql-database.ts";

let now = 1_000_000;
let sql: SqlDatabase;
beforeEach(() => {
  now = 1_000_000;
  sql = openNodeSql();
});

it("sends each key once, in order, and remembers it after sending", () => {
  const outbox = new Outbox(sql, () => now);
  expect([outbox.add("a", "1"), outbox.add("b", "2"), outbox.add("a", "again")]).toEqual([
    true,
    true,
    false,
  ]);
  expect(outbox.next()?.text).toBe("1");
  outbox.done("a");
  expect(outbox.next()?.text).toBe("2");
  outbox.done("b");
  now += 6 * 24 * 3_600_000;
  outbox.forgetOld();
  expect(outbox.add("a", "late repeat")).toBe(false);
});

it("after a crash repeats a notice that may have gone out, and skips a broadcast's copy", () => {
  const before = new Outbox(sql, () => now);
  before.add("news", "broadcast", "skip");
  before.add("notice", "job done", "repeat");
  before.begin("news");
  const after = new Outbox(sql, () => now);
  after.recover();
  expect(after.next()?.key).toBe("notice");
  after.begin("notice");
  const again = new Outbox(sql, () => now);
  again.recover();
  expect(again.next()?.key).toBe("notice");
});

it("sends a broadcast's copy again when Telegram said that it did not take it", () => {
  const outbox = new Outbox(sql, () => now);
  outbox.add("news", "broadcast", "skip");
  outbox.begin("news");
  outbox.postpone("news", now + 5);
  outbox.recover();
  expect([outbox.next(), outbox.wakeAt()]).toEqual([null, now + 5]);
  now += 5;
  expect(outbox.next()?.attempts).toBe(1);
});

it("takes only so many, and drops what waits when the chat is gone", () => {
  const outbox = new Outbox(sql, () => now);
  for (let i = 0; i < MOST_OUTGOING; i++) expect(outbox.add(`k${i}`, "x")).toBe(true);
  expect(outbox.add("one more", "x")).toBe(false);
  outbox.drop();
  expect([outbox.next(), outbox.wakeAt()]).toEqual([null, null]);
});

it("hands a broadcast to every chat page by page, and goes on where a crash ended it", async () => {
  const chats = Array.from({ length: CHATS_A_STEP * 2 + 5 }, (_, i) => i + 1);
  const handed: string[] = [];
  const reports: BroadcastProgress[] = [];
  const port = {
    page: async (after: number | null, limit: number) =>
      chats.filter((id) => id > (after ?? 0)).slice(0, limit),
    hand: async (chatId: number, key: string) => {
      if (chatId === 7) throw new Error("object unreachable");
      handed.push(`${key}:${chatId}`);
    },
    report: async (progress: BroadcastProgress) => void reports.push(progress),
  };
  const broadcast = { id: "b1", text: "hello", reportTo: 99, language: "en" as const };
  new Broadcasts(sql).start(broadcast);
  await new Broadcasts(sql).step(port);
  new Broadcasts(sql).start(broadcast);
  while (new Broadcasts(sql).pending) await new Broadcasts(sql).step(port);
  expect(handed).toEqual(chats.filter((id) => id !== 7).map((id) => `b1:${id}`));
  expect(reports).toMatchObject([{ handed: chats.length - 1, failed: 1 }]);
});
