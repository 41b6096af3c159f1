import type { Context } from "../kernel/context.ts";

/** What these verbs need of a context. The bot has no master key and announces no epochs, so it can make only this much. */
export type TelegramContext = Pick<Context, "principal" | "requestId" | "log" | "now" | "db">;
