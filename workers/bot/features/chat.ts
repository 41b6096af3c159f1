import { Composer } from "grammy";
import type { Message } from "grammy/types";
import type { ChatPart } from "../switchyard/switchyard-api.ts";
import { commandOf, quotedText, withoutMention } from "../telegram/addressing.ts";
import { fetchPhoto, PHOTO_LIMIT } from "../telegram/fetch-photo.ts";
import { contentOf, photoWithin } from "../telegram/message-content.ts";
import type { BotContext, Turn } from "../turn.ts";
import { answerWithModel } from "./answer-with-model.ts";

/** Everything that is no command: text and photos go to the model, the rest gets a sentence. */
export const chat = new Composer<BotContext>();

chat.on("message", async (ctx) => {
  const { turn, message } = ctx;
  const content = contentOf(message);
  if (content.kind === "nothing") return;
  if (commandOf(message)) return turn.answer(turn.say.unknownCommand);
  const link = await turn.link();
  if (!link) return turn.answerNotLinked();
  if (content.kind === "unsupported") return turn.answer(turn.say.unsupported[content.what]);
  if (content.kind === "text") return answerWithModel(turn, link, question(turn, message));
  const photo = photoWithin(content.sizes, PHOTO_LIMIT);
  if (!photo) return turn.answer(turn.say.imageTooLarge);
  const url = turn.parts.row.answer === null ? await fetchPhoto(turn.parts, photo.file_id) : "";
  if (url === null) return turn.answer(turn.say.imageUnavailable);
  const caption = question(turn, message);
  const parts: ChatPart[] = [{ type: "image_url", image_url: { url } }];
  return answerWithModel(
    turn,
    link,
    caption === "" ? parts : [{ type: "text", text: caption }, ...parts],
  );
});

/** What is asked: the text without the bot's name, after what it replies to. */
function question(turn: Turn, message: Message): string {
  const asked = withoutMention(message, turn.parts.bot);
  const quoted = quotedText(message, turn.parts.bot);
  const quote = quoted
    ?.split("\n")
    .map((line) => `> ${line}`)
    .join("\n");
  return [quote, asked].filter(Boolean).join("\n\n");
}
