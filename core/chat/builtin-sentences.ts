/** What was said to the builtin model. */
export interface BuiltinSay {
  /** The user's last text. */
  text: string;
  /** How many pictures came with it. */
  images: number;
  /** What a tool answered, where the conversation ends on that. */
  toolAnswer: string | null;
}

const QUOTE_LIMIT = 200;

const ENGLISH = {
  iAm: "I am Switchyard's built-in stand-in, not a language model.",
  heard: (quote: string) => `You said: “${quote}”.`,
  silence: "Your message had no text.",
  images: (count: number) =>
    `It came with ${count === 1 ? "a picture" : `${count} pictures`}, which I cannot see.`,
  tool: (quote: string) => `The tool answered: “${quote}”.`,
  settings:
    "For real answers, set AI_SERVICE_URL, AI_SERVICE_API_KEY and AI_SERVICE_MODEL, and start again.",
};

const PERSIAN: typeof ENGLISH = {
  iAm: "من جانشین آزمایشی Switchyard هستم، نه یک مدل زبانی.",
  heard: (quote) => `شما گفتید: «${quote}».`,
  silence: "پیام شما متنی نداشت.",
  images: (count) => `${count} تصویر همراه آن بود که من نمی‌بینم.`,
  tool: (quote) => `پاسخ ابزار: «${quote}».`,
  settings:
    "برای پاسخ واقعی، AI_SERVICE_URL و AI_SERVICE_API_KEY و AI_SERVICE_MODEL را تنظیم و دوباره اجرا کنید.",
};

const wordsFor = (text: string) =>
  /[\u067E\u0686\u0698\u06AF\u06A9\u06CC\u0600-\u06FF]/u.test(text) ? PERSIAN : ENGLISH;

/** That it is no model, and how to get one, under what a tool has answered. */
export function standIn({ text }: BuiltinSay): string {
  const words = wordsFor(text);
  return `${words.iAm} ${words.settings}`;
}

/** What the builtin model says: what it is, what it understood, and what to set for a real model; in English or Persian. */
export function sayTo(say: BuiltinSay): string {
  const words = wordsFor(say.text);
  const quote = (text: string) =>
    text.length > QUOTE_LIMIT
      ? `${text.slice(0, QUOTE_LIMIT).replace(/[\uD800-\uDBFF]$/, "")}…`
      : text;
  return [
    words.iAm,
    say.text === "" ? words.silence : words.heard(quote(say.text)),
    ...(say.images > 0 ? [words.images(say.images)] : []),
    ...(say.toolAnswer === null ? [] : [words.tool(quote(say.toolAnswer))]),
    words.settings,
  ].join(" ");
}
