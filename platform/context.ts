import type {
  Context,
  Database,
  EpochAnnouncer,
  RequestSource,
  SecretBox,
} from "#core/kernel/context.ts";
import type { Logger } from "#core/kernel/log.ts";
import type { Principal } from "#core/kernel/principal.ts";
import type { Signal } from "#core/switches/signal.ts";
import { type DatabaseSettings, inTransaction, openDatabase } from "./database.ts";

export interface ContextParts {
  principal: Principal;
  requestId: string;
  source(): RequestSource;
  log: Logger;
  database: DatabaseSettings;
  secrets: SecretBox;
  epochs: EpochAnnouncer;
  announce(signal: Signal): Promise<void>;
}

/** The context in which the verbs of `core` run. */
export function createContext({ database, ...parts }: ContextParts): Context {
  return withDatabase({ ...parts, now: () => new Date() }, database);
}

type OverDatabase<Base> = Base & {
  db: Database;
  transaction<T>(work: (inner: WithinTransaction<Base>) => Promise<T>): Promise<T>;
  afterCommit(action: () => Promise<void>): Promise<void>;
};
type WithinTransaction<Base> = OverDatabase<Base> & {
  readonly inTransaction: true;
  isUsed(): boolean;
};

/** Gives a context its database: single statements over HTTP, transactions over a WebSocket. */
export function withDatabase<Base extends object>(
  base: Base,
  database: DatabaseSettings,
): OverDatabase<Base> {
  return {
    ...base,
    db: openDatabase(database),
    afterCommit: (action) => action(),
    async transaction(work) {
      const actions: (() => Promise<void>)[] = [];
      const result = await inTransaction(database, (db, isUsed) => {
        const inner: WithinTransaction<Base> = {
          ...base,
          inTransaction: true,
          isUsed,
          db,
          transaction: (innerWork) => innerWork(inner),
          afterCommit: async (action) => void actions.push(action),
        };
        return work(inner);
      });
      for (const action of actions) await action();
      return result;
    },
  };
}
