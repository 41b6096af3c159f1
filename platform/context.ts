import type { Context, EpochAnnouncer, SecretBox } from "#core/kernel/context.ts";
import type { Logger } from "#core/kernel/log.ts";
import type { Principal } from "#core/kernel/principal.ts";
import { type DatabaseSettings, inTransaction, openDatabase } from "./database.ts";

export interface ContextParts {
  principal: Principal;
  requestId: string;
  log: Logger;
  database: DatabaseSettings;
  secrets: SecretBox;
  epochs: EpochAnnouncer;
  catalogChanged(): Promise<void>;
}

/** The context in which the verbs of `core` run: single statements over HTTP, transactions over a WebSocket. */
export function createContext(parts: ContextParts): Context {
  const { principal, requestId, log, secrets, epochs, catalogChanged } = parts;
  const base = {
    principal,
    requestId,
    log,
    secrets,
    epochs,
    catalogChanged,
    now: () => new Date(),
  };
  return {
    ...base,
    db: openDatabase(parts.database),
    afterCommit: (action) => action(),
    async transaction(work) {
      const actions: (() => Promise<void>)[] = [];
      const result = await inTransaction(parts.database, (transaction) => {
        const inner: Context = {
          ...base,
          db: transaction,
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
