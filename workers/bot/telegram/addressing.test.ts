import type { Message } from "grammy/types";
import { describe, expect, it } from "vitest";
import { detectEntities } from "#test/telegram/bot-api/parse-entities.ts";
import { commandArgument, commandOf, isForBot, quotedText, withoutMention } from "./addressing.ts";

type ReplyMessage = NonNullable<Message["reply_to_message"]>;

const bot = { id: 42, username: "Yard_bot" };
const known = new Set(["help", "start"]);
const group = { id: -5, type: "group" as const, title: "G" };
const sara = { id: 7, is_bot: false, first_name: "Sara" };

function inGroup(text: string, more: Partial<Message> = {}): Partial<Message> {
  return { message_id: 1, chat: group, from: sara, text, entities: detectEntities(text), ...more };
}
const fromBot = {
  message_id: 9,
  date: 0,
  chat: group,
  from: { id: 42, is_bot: true, first_name: "Yard" },
} as ReplyMessage; // only what is read

describe("whom a message in a group is for", () => {
  it.each<[string, boolean, Partial<Message>]>([
    ["plain talk", false, inGroup("hello everybody")],
    ["a mention", true, inGroup("hello @yard_BOT, how are you")],
    ["the same letters without an entity", false, inGroup("hello @Yard_bot", { entities: [] })],
    ["a longer name that begins alike", false, inGroup("hello @Yard_bot2")],
    ["a mention inside an e-mail address", false, inGroup("mail me@Yard_bot")],
    [
      "a mention in a caption",
      true,
      inGroup("", {
        text: undefined,
        entities: undefined,
        caption: "@Yard_bot what is it",
        caption_entities: detectEntities("@Yard_bot what is it"),
      }),
    ],
    [
      "a mention by id",
      true,
      inGroup("Yard?", {
        entities: [
          {
            type: "text_mention",
            offset: 0,
            length: 4,
            user: { id: 42, is_bot: true, first_name: "Yard" },
          },
        ],
      }),
    ],
    ["a known command", true, inGroup("/help")],
    ["a command that names the bot in other case", true, inGroup("/help@yard_bot")],
    ["an unknown command that names the bot", true, inGroup("/dance@Yard_bot")],
    ["an unknown command", false, inGroup("/dance")],
    ["a command of another bot", false, inGroup("/help@other_bot")],
    [
      "a command of another bot, replying to this one",
      false,
      inGroup("/help@other_bot", { reply_to_message: fromBot }),
    ],
    ["a reply to the bot", true, inGroup("and then?", { reply_to_message: fromBot })],
    [
      "a message in a topic that the bot opened",
      false,
      inGroup("hi", {
        reply_to_message: {
          ...fromBot,
          forum_topic_created: { name: "t", icon_color: 1 },
        } as ReplyMessage,
      }),
    ],
    [
      "a mention by another bot",
      false,
      inGroup("@Yard_bot hi", { from: { id: 8, is_bot: true, first_name: "Loop" } }),
    ],
    [
      "a mention by an anonymous administrator",
      true,
      inGroup("@Yard_bot hi", { from: { id: 1_087_968_824, is_bot: true, first_name: "Group" } }),
    ],
    [
      "the bot's own message",
      false,
      inGroup("@Yard_bot", { from: { id: 42, is_bot: true, first_name: "Yard" } }),
    ],
    [
      "a channel's post that was forwarded by itself",
      false,
      inGroup("@Yard_bot", { is_automatic_forward: true }),
    ],
    ["an odd message without a sender", false, { chat: group, text: "hi" }],
  ])("%s: %s", (_what, expected, message) => {
    expect(isForBot(message, bot, known)).toBe(expected);
  });

  it("is the bot in every private message, but for commands of other bots", () => {
    const chat = { id: 7, type: "private" as const, first_name: "Sara" };
    expect(isForBot(inGroup("hello", { chat }), bot, known)).toBe(true);
    expect(isForBot(inGroup("/dance", { chat }), bot, known)).toBe(true);
    expect(isForBot(inGroup("/help@other_bot", { chat }), bot, known)).toBe(false);
  });
});

describe("what a message says", () => {
  it("is a command only at its beginning and by entity", () => {
    expect(commandOf(inGroup("/Start@Yard_bot abc"))).toEqual({ name: "start", to: "yard_bot" });
    expect(commandArgument(inGroup("/start  abc def "))).toBe("abc def");
    expect(commandOf(inGroup("see /help"))).toBeNull();
    expect(commandOf(inGroup("/help", { entities: [] }))).toBeNull();
  });

  it("comes without the mention of the bot, and keeps other mentions", () => {
    expect(withoutMention(inGroup("@Yard_bot tell @sara_k that @yard_bot works"), bot)).toBe(
      "tell @sara_k that works",
    );
    expect(withoutMention(inGroup("سلام @Yard_bot خوبی؟"), bot)).toBe("سلام خوبی؟");
  });

  it("quotes what another person wrote, and the part that was chosen", () => {
    const replied = { ...fromBot, from: sara, text: "a long story" } as ReplyMessage; // only what is read
    expect(quotedText(inGroup("why?", { reply_to_message: replied }), bot)).toBe("a long story");
    expect(
      quotedText(
        inGroup("why?", { reply_to_message: replied, quote: { text: "long", position: 2 } }),
        bot,
      ),
    ).toBe("long");
    expect(
      quotedText(
        inGroup("why?", { reply_to_message: { ...replied, from: fromBot.from } as ReplyMessage }),
        bot,
      ),
    ).toBeNull();
  });
});
