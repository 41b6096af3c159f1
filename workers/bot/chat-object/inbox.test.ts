import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { openNodeSql } from "#test/telegram/node-sql.ts";
import { Inbox, type Lane, MOST_WAITING } from "./inbox.ts";
import type { SqlDatabase } from "./sql-database.ts";

let now = 1_000_000;
let sql: SqlDatabase;
let inbox: Inbox;
beforeEach(() => {
  now = 1_000_000;
  sql = openNodeSql();
  inbox = new Inbox(sql, () => now);
});

const update = (updateId: number, position = updateId, lane: Lane = "turn") => ({
  updateId,
  lane,
  position,
  body: "{}",
  requestId: `req_${updateId}`,
});
const answerNext = () => {
  const row = inbox.next("turn");
  if (row) {
    inbox.begin(row.updateId);
    inbox.finish(row.updateId);
  }
  return row?.updateId;
};

describe("the inbox", () => {
  it("gives each update once, whatever the order and the repetitions of its deliveries", () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray(
          [...Array(30).keys()].map((i) => i + 1),
          { minLength: 1 },
        ),
        fc.array(fc.nat(29), { maxLength: 60 }),
        (order, again) => {
          inbox = new Inbox(openNodeSql(), () => now);
          for (const id of order) expect(inbox.accept(update(id))).toBe("taken");
          for (const index of again) {
            const id = order[index];
            if (id !== undefined) expect(inbox.accept(update(id))).toBe("duplicate");
          }
          const answered: number[] = [];
          for (let id = answerNext(); id !== undefined; id = answerNext()) answered.push(id);
          expect(answered).toEqual([...order].sort((a, b) => a - b));
          for (const id of order) expect(inbox.accept(update(id))).toBe("duplicate");
        },
      ),
      { numRuns: 50 },
    );
  });

  it("remembers for more than 24 hours, and forgets in the end", () => {
    inbox.accept(update(5));
    answerNext();
    now += 25 * 3_600_000;
    inbox.forgetOld();
    expect(inbox.accept(update(5))).toBe("duplicate");
    now += 24 * 3_600_000;
    inbox.forgetOld();
    expect(inbox.accept(update(5))).toBe("taken");
  });

  it("finishes what it has begun before what came earlier in the chat and later by wire", () => {
    inbox.accept(update(9));
    inbox.begin(9);
    inbox.accept(update(3));
    expect(inbox.next("turn")?.updateId).toBe(9);
  });

  it("keeps the lanes apart", () => {
    inbox.accept(update(1));
    inbox.accept(update(2, 0, "urgent"));
    expect([inbox.next("turn")?.updateId, inbox.next("urgent")?.updateId]).toEqual([1, 2]);
  });

  it("takes only so many turns, remembers those that it left out, and always takes what is urgent", () => {
    for (let id = 1; id <= MOST_WAITING; id++) expect(inbox.accept(update(id))).toBe("taken");
    expect(inbox.accept(update(100))).toBe("full");
    expect(inbox.accept(update(100))).toBe("duplicate");
    expect(inbox.accept(update(101, 0, "urgent"))).toBe("taken");
  });

  it("writes nothing when a part of the writing fails", () => {
    sql.all(
      "CREATE TRIGGER broken BEFORE INSERT ON inbox BEGIN SELECT RAISE(ABORT, 'disk full'); END",
    );
    expect(() => inbox.accept(update(1))).toThrow("disk full");
    sql.all("DROP TRIGGER broken");
    expect(inbox.accept(update(1))).toBe("taken");
  });

  it("counts attempts that were begun and not ended, and not those that Telegram put off", () => {
    inbox.accept(update(1));
    inbox.begin(1);
    inbox.begin(1);
    expect(inbox.next("turn")?.attempts).toBe(2);
    inbox.postpone(1, now + 500, { countsAsAttempt: false });
    expect(inbox.next("turn")).toBeNull();
    expect(inbox.wakeAt()).toBe(now + 500);
    now += 500;
    expect(inbox.next("turn")?.attempts).toBe(1);
    inbox.postpone(1, now, { countsAsAttempt: true });
    expect(inbox.next("turn")?.attempts).toBe(1);
  });

  it("holds the queue behind an update that was put off, so that order stays", () => {
    inbox.accept(update(1));
    inbox.accept(update(2));
    inbox.begin(1);
    inbox.postpone(1, now + 1000, { countsAsAttempt: false });
    expect(inbox.next("turn")).toBeNull();
  });

  it("stops the answer that runs, unless the stop is older than its question", () => {
    inbox.accept(update(1));
    expect(inbox.requestStop(now + 1)).toBe(false);
    inbox.begin(1);
    expect(inbox.requestStop(now - 1)).toBe(false);
    expect(inbox.requestStop(now + 1)).toBe(true);
    expect(inbox.next("turn")?.stopped).toBe(true);
  });

  it("hands over to a moved chat before that chat's own, once", () => {
    inbox.accept(update(700, 900));
    inbox.accept(update(701, 901));
    inbox.begin(700);
    inbox.saveMessageIds(700, [55]);
    inbox.saveAnswer(700, "done already");
    const moved = new Inbox(openNodeSql(), () => now);
    moved.accept(update(702, 1));
    moved.adopt(inbox.all());
    moved.adopt(inbox.all());
    expect(moved.all().map((row) => [row.updateId, row.answer, row.messageIds])).toEqual([
      [700, "done already", []],
      [701, null, []],
      [702, null, []],
    ]);
    expect(moved.accept(update(700))).toBe("duplicate");
  });
});
