import type { BotApi } from "./bot-api-server.ts";

/** Lets the Bot API server deliver all updates to a bot Worker, as `npm run telegram:setup` would. */
export function deliverTo(telegram: BotApi, botUrl: string, secretToken: string): void {
  telegram.delivery.setWebhook({
    url: `${botUrl}/telegram/webhook`,
    secretToken,
    allowedUpdates: undefined,
    maxConnections: 40,
  });
}
