import { styleText } from "node:util";

export interface CardFacts {
  url: string;
  key: string;
  /** One that a first request may name. */
  model: string;
  superAdminKeyFile: string | undefined;
  database: string;
  cache: string;
  dataDir: string;
  logFile: string;
  /** The names that are set, to say what is there and what could be. */
  settings: ReadonlyMap<string, string>;
  polling: boolean;
}

function hints({ settings, polling }: CardFacts): [string, string][] {
  const model = settings.has("AI_SERVICE_URL")
    ? `${new URL(settings.get("AI_SERVICE_URL") ?? "").host}`
    : "a built-in stand-in. For a real one: AI_SERVICE_URL=https://api.openai.com/v1 AI_SERVICE_API_KEY=sk-…";
  const token = settings.has("TELEGRAM_BOT_TOKEN");
  const bot = polling
    ? "polled from here, no public address needed"
    : token
      ? "waits for the webhook"
      : "off. Set TELEGRAM_BOT_TOKEN from @BotFather";
  return [
    ["Model", model],
    ["Telegram", bot],
  ];
}

/** What a newcomer needs, on one screen; both examples work as they are. */
export function card(facts: CardFacts): string {
  const { url, key, model, settings } = facts;
  const bold = (text: string): string => styleText("bold", text);
  const row = (name: string, value: string): string => `  ${bold(name.padEnd(14))}${value}`;
  const rows = [
    row("Address", url),
    row("API key", key),
    row(
      "Super admin",
      facts.superAdminKeyFile === undefined
        ? "the first of SUPER_ADMIN_API_KEYS"
        : `key in ${facts.superAdminKeyFile}`,
    ),
    row("Docs", `${url}/docs`),
    row("Webhook", `${url}/telegram/webhook`),
    ...hints(facts).map(([name, value]) => row(name, value)),
    row(
      "Database",
      facts.database +
        (settings.has("DATABASE_URL") ? "" : ". For Neon or another Postgres: DATABASE_URL"),
    ),
    row(
      "Cache",
      facts.cache +
        (/embedded/.test(facts.cache)
          ? ". For Upstash: UPSTASH_REDIS_REST_URL and _TOKEN; for Redis: REDIS_URL"
          : ""),
    ),
    row("Data, log", `${facts.dataDir}, ${facts.logFile}`),
  ];
  return [
    "",
    bold("Switchyard is ready."),
    "",
    ...rows,
    "",
    bold("Try it:"),
    "",
    `curl ${url}/v1/chat/completions -H "Authorization: Bearer ${key}" -H "Content-Type: application/json" -d '{"model":"${model}","messages":[{"role":"user","content":"Hello"}]}'`,
    "",
    bold("With the OpenAI SDK (npm install openai):"),
    "",
    `import OpenAI from "openai";`,
    `const openai = new OpenAI({ baseURL: "${url}/v1", apiKey: "${key}" });`,
    `const answer = await openai.chat.completions.create({ model: "${model}", messages: [{ role: "user", content: "Hello" }] });`,
    `console.log(answer.choices[0].message.content);`,
    "",
    "Settings go in .env (see .env.example). Ctrl-C ends everything; the data stays for the next start.",
    "",
  ].join("\n");
}
