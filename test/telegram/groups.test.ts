import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { eventually } from "#test/harness/eventually.ts";
import type { StoredChat } from "./bot-api/world.ts";
import { type BotStack, startBotStack } from "./bot-stack.ts";
import { pause } from "./scripted-chat.ts";

let stack: BotStack;
beforeAll(async () => {
  stack = await startBotStack({
    postgres: inject("postgres"),
    telegram: { username: "Garden_bot" },
  });
});
afterAll(() => stack?.stop());

const texts = (chat: StoredChat) => stack.telegram.answersIn(chat).map((message) => message.text);
const finished = (chat: StoredChat) =>
  stack.telegram
    .answersIn(chat)
    .filter((message) => message.replyMarkup === undefined && message.text !== "…");

async function linkedGroup(
  options: Parameters<BotStack["telegram"]["addGroup"]>[0] = {},
): Promise<StoredChat> {
  const group = stack.telegram.addGroup(options);
  await stack.link(group.id);
  return group;
}

describe.concurrent("a group", () => {
  it("is answered where the bot is mentioned, replied to or commanded, and nowhere else", async () => {
    const group = await linkedGroup();
    const sara = stack.telegram.addPerson();
    const say = (text: string, more = {}) => sara.says(text, { in: group, ...more });
    say("good morning everybody");
    say("@Garden_bot without an entity", { entities: [] });
    say("/help@other_bot");
    say("/dance");
    say("@garden_BOT what grows?");
    await eventually(() =>
      expect(finished(group).map((message) => message.text)).toEqual(["Echo: what grows?"]),
    );
    const [answer] = stack.telegram.answersIn(group);
    const question = [...group.messages.values()].find((message) =>
      message.text?.includes("what grows"),
    );
    expect(answer?.replyTo).toBe(question?.message_id);
    say("and in winter?", { replyTo: answer?.message_id });
    await eventually(() => expect(texts(group)).toHaveLength(2));
    say("/whoami@Garden_bot");
    await eventually(() => expect(texts(group).at(-1)).toContain(`Chat: ${group.id}`));
    expect(texts(group)).toHaveLength(3);
    expect(
      stack.model.turns
        .filter((turn) => turn.actor.chat_id === String(group.id))
        .map((turn) => turn.message),
    ).toEqual(["what grows?", "and in winter?"]);
  });

  it("gets no more than Telegram's twenty a minute, edits counted, and loses no answer by it", async () => {
    const group = await linkedGroup();
    const sara = stack.telegram.addPerson();
    stack.model.scripts.set(group.id, async function* (_turn, signal) {
      for (let i = 0; i < 30; i++) {
        yield `word${i} `;
        await pause(300, signal);
      }
    });
    sara.says("@Garden_bot talk", { in: group });
    await eventually(() => expect(finished(group)[0]?.text).toMatch(/^word0 .*word29$/));
    const calls = stack.telegram.calls.filter(
      (call) => Number(call.params["chat_id"]) === group.id,
    );
    for (const [index, call] of calls.entries()) {
      const next = calls[index + 1];
      if (next) expect(next.at - call.at).toBeGreaterThanOrEqual(3000);
    }
    expect(calls.every((call) => call.status === 200)).toBe(true);
  });

  it("keeps the conversations of its topics apart, and answers in the topic", async () => {
    const forum = await linkedGroup({ forum: true });
    const sara = stack.telegram.addPerson();
    for (const [index, threadId] of [7, 9, 7].entries()) {
      sara.says("@Garden_bot hi", { in: forum, threadId });
      await eventually(() => expect(finished(forum)).toHaveLength(index + 1));
    }
    expect(stack.telegram.answersIn(forum).map((message) => message.threadId)).toEqual([7, 9, 7]);
    const [first, second, third] = stack.model.turns.filter(
      (turn) => turn.actor.chat_id === String(forum.id),
    );
    expect([first?.sessionId, second?.sessionId]).toEqual([null, null]);
    expect(third?.sessionId).toMatch(/^sess_/);
  });

  it("lets only the person who asked stop the answer by its button", async () => {
    const group = await linkedGroup();
    const [sara, reza] = [stack.telegram.addPerson(), stack.telegram.addPerson()];
    stack.model.scripts.set(group.id, async function* (_turn, signal) {
      yield "beginning";
      await pause(60_000, signal);
    });
    sara.says("@Garden_bot go", { in: group });
    await eventually(() => expect(texts(group)).toEqual(["beginning"]));
    const refused = reza.taps("⏹ Stop", { in: group });
    await eventually(() =>
      expect(stack.telegram.world.answeredCallbacks.get(refused.callbackId)).toMatchObject({
        showAlert: true,
      }),
    );
    expect(stack.telegram.answersIn(group)[0]?.replyMarkup).toBeDefined();
    sara.taps("⏹ Stop", { in: group });
    await eventually(() => expect(finished(group)).toMatchObject([{ text: "beginning" }]));
  });

  it("lets only its administrators choose the model and the settings", async () => {
    const reza = stack.telegram.addPerson();
    const group = await linkedGroup({ administrators: [reza] });
    const sara = stack.telegram.addPerson();
    sara.says("/settings prompt be rude", { in: group });
    await eventually(() =>
      expect(texts(group)).toEqual(["Only administrators of this group can do this."]),
    );
    reza.says("/settings prompt be kind", { in: group });
    await eventually(() => expect(texts(group)).toHaveLength(2));
    sara.says("@Garden_bot hi", { in: group });
    await eventually(() => expect(finished(group)).toHaveLength(3));
    expect(stack.model.turns.find((turn) => turn.actor.chat_id === String(group.id))?.system).toBe(
      "be kind",
    );
  });

  it("that becomes a supergroup keeps its link, settings and conversation, and its waiting questions are answered there", async () => {
    const reza = stack.telegram.addPerson();
    const group = await linkedGroup({ administrators: [reza] });
    reza.says("/settings prompt be kind", { in: group });
    await eventually(() => expect(texts(group)).toHaveLength(1));
    reza.says("@Garden_bot first", { in: group });
    await eventually(() => expect(finished(group)).toHaveLength(2));
    stack.model.scripts.set(group.id, async function* (_turn, signal) {
      await pause(2000, signal);
      yield "answered after the move";
    });
    reza.says("@Garden_bot second", { in: group });
    reza.says("@Garden_bot third", { in: group });
    await eventually(() =>
      expect(
        stack.model.turns.filter((turn) => turn.actor.chat_id === String(group.id)),
      ).toHaveLength(2),
    );
    const supergroup = stack.telegram.migrate(group, reza);
    await eventually(() => expect(finished(supergroup)).toHaveLength(2));
    reza.says("@Garden_bot fourth", { in: supergroup });
    await eventually(() => expect(finished(supergroup).at(-1)?.text).toBe("Echo: fourth"));
    expect(texts(supergroup)).toHaveLength(3);
    const last = stack.model.turns
      .filter((turn) => turn.actor.chat_id === String(supergroup.id))
      .at(-1);
    expect(last).toMatchObject({ system: "be kind", sessionId: expect.stringMatching(/^sess_/) });
    expect(
      await stack.sql("SELECT chat_id::text FROM telegram_links WHERE chat_id IN ($1, $2)", [
        group.id,
        supergroup.id,
      ]),
    ).toEqual([{ chat_id: String(supergroup.id) }]);
  });

  it("is followed to its new id also where only a refused message tells of it", async () => {
    const group = await linkedGroup();
    const sara = stack.telegram.addPerson();
    const supergroup = stack.telegram.addGroup({ supergroup: true });
    const update = sara.writes("@Garden_bot where are you?", { in: group });
    group.migratedTo = supergroup.id;
    await stack.post(update);
    await eventually(() =>
      expect(finished(supergroup).map((message) => message.text)).toEqual(["Echo: where are you?"]),
    );
  });

  it("that the bot is removed from hears nothing more", async () => {
    const group = await linkedGroup();
    const sara = stack.telegram.addPerson();
    stack.telegram.removeFrom(group, sara);
    await eventually(async () =>
      expect(
        await stack.sql(
          "SELECT 1 FROM telegram_links WHERE chat_id = $1 AND blocked_at IS NOT NULL",
          [group.id],
        ),
      ).toHaveLength(1),
    );
    expect(
      stack.telegram.calls.filter((call) => Number(call.params["chat_id"]) === group.id),
    ).toEqual([]);
  });

  it("without a link is told how to get one, when it asks", async () => {
    const group = stack.telegram.addGroup();
    stack.telegram.addPerson().says("@Garden_bot hi", { in: group });
    await eventually(() => expect(texts(group)[0]).toContain("/start CODE"));
  });
});
