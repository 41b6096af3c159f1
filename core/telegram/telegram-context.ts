import type { Context, TransactionContext } from "../kernel/context.ts";

type Needed = "principal" | "requestId" | "source" | "log" | "now" | "db";

/** What these verbs need of a context. The bot has no master key and announces no epochs, so it can make only this much. */
export interface TelegramContext extends Pick<Context, Needed> {
  transaction<T>(work: (inner: TelegramTransaction) => Promise<T>): Promise<T>;
}

/** The same within a transaction. */
export type TelegramTransaction = Pick<TransactionContext, Needed | "inTransaction">;
