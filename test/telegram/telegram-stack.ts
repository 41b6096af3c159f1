import { type Stack, type StackOptions, startStack, WEBHOOK_SECRET } from "#test/harness/stack.ts";
import { type FaultProvider, startFaultProvider } from "#test/providers/fault-provider.ts";
import { type BotApi, startBotApi } from "./bot-api-server.ts";
import { deliverTo } from "./deliver-to.ts";

/** The built Workers, before them a Bot API server whose updates reach the bot, and behind them a provider. */
export interface TelegramStack {
  stack: Stack;
  telegram: BotApi;
  /** The server at AI_SERVICE_URL; its model `fault-1` is the default. */
  provider: FaultProvider;
  /** Lets updates reach the bot where it is now: after a restart it is elsewhere. */
  deliver(): void;
  stop(): Promise<void>;
}

export async function startTelegramStack({
  vars,
  ...options
}: StackOptions): Promise<TelegramStack> {
  const [telegram, provider] = await Promise.all([
    startBotApi({ backoffScale: 0.05 }),
    startFaultProvider(),
  ]);
  const stack = await startStack({
    ...options,
    vars: {
      TELEGRAM_BOT_TOKEN: telegram.token,
      TELEGRAM_API_ROOT: telegram.url,
      AI_SERVICE_URL: provider.url,
      AI_SERVICE_MODEL: "fault-1",
      ...vars,
    },
  });
  const deliver = () => deliverTo(telegram, stack.urls.bot, WEBHOOK_SECRET);
  deliver();
  return {
    stack,
    telegram,
    provider,
    deliver,
    async stop() {
      await telegram.stop();
      await stack.stop();
      await provider.stop();
    },
  };
}
