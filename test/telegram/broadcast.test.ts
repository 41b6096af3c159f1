import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { eventually } from "#test/harness/eventually.ts";
import type { Person } from "./bot-api/people.ts";
import { type BotStack, startBotStack } from "./bot-stack.ts";

const ADMIN_ID = 777_000_001;
const NEWS = "The garden opens at nine.";
let stack: BotStack;
beforeAll(async () => {
  stack = await startBotStack({
    postgres: inject("postgres"),
    vars: { TELEGRAM_ADMIN_IDS: `5, ${ADMIN_ID}` },
  });
});
afterAll(() => stack?.stop());

const texts = (person: Person) =>
  stack.telegram.answersIn(person.chat).map((message) => message.text ?? "");
const lastText = (person: Person) => texts(person).at(-1) ?? "";
const copies = (person: Person) => texts(person).filter((text) => text === NEWS).length;

it("shows counts and sends broadcasts for admins; to anybody else such commands do not exist", async () => {
  const admin = stack.telegram.addPerson({ id: ADMIN_ID });
  const sara = stack.telegram.addPerson();
  await stack.link(sara.chat.id);
  sara.says("/stats");
  sara.says("/broadcast me");
  await eventually(() =>
    expect(texts(sara)).toEqual([
      expect.stringContaining("do not know"),
      expect.stringContaining("do not know"),
    ]),
  );
  admin.says("/stats");
  await eventually(() =>
    expect(lastText(admin)).toMatch(
      /^Linked chats: 1\nof these groups: 0\nof these unreachable: 0\nTeams: 1\n/,
    ),
  );
  admin.says("/broadcast");
  await eventually(() => expect(lastText(admin)).toContain("followed by the text"));
});

it("brings a broadcast to every chat that can be reached, to nobody twice, through kill -9", async () => {
  const admin = stack.telegram.addPerson({ id: 5 });
  const people = Array.from({ length: 70 }, () => stack.telegram.addPerson());
  const gone = stack.telegram.addPerson();
  await stack.link(gone.chat.id, ...people.map((person) => person.chat.id));
  gone.blocks();
  const isNoted = "SELECT 1 FROM telegram_links WHERE chat_id = $1 AND blocked_at IS NOT NULL";
  await eventually(async () => expect(await stack.sql(isNoted, [gone.chat.id])).toHaveLength(1));
  const update = admin.writes(`/broadcast ${NEWS}`);
  await stack.post(update);
  await eventually(() =>
    expect(people.filter((person) => copies(person) > 0).length).toBeGreaterThan(0),
  );
  await stack.kill();
  await stack.restart();
  await stack.post(update);
  await eventually(() =>
    expect(lastText(admin)).toMatch(/^The broadcast is done: 71 chats, 0 failed\.$/),
  );
  // Whoever's copy was on its way at the kill may go without; nobody gets it twice.
  await eventually(() =>
    expect(people.filter((person) => copies(person) === 1).length).toBeGreaterThanOrEqual(65),
  );
  expect(people.filter((person) => copies(person) > 1)).toEqual([]);
  expect(texts(gone)).toEqual([]);
  expect(texts(admin).filter((text) => text.startsWith("The broadcast has begun"))).toHaveLength(1);
});
