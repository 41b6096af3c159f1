import { DatabaseSync } from "node:sqlite";
import type { SqlDatabase, SqlValue } from "../../workers/bot/chat-object/sql-database.ts";

/** The stores' SQLite in this process: the same engine as in a Durable Object, without one. */
export function openNodeSql(): SqlDatabase {
  const database = new DatabaseSync(":memory:");
  let depth = 0;
  return {
    all: <Row>(statement: string, ...values: SqlValue[]) =>
      database.prepare(statement).all(...values) as Row[], // named by the caller
    transaction(work) {
      const name = `level_${++depth}`;
      database.exec(`SAVEPOINT ${name}`);
      try {
        return work();
      } catch (error) {
        database.exec(`ROLLBACK TO ${name}`);
        throw error;
      } finally {
        database.exec(`RELEASE ${name}`);
        depth -= 1;
      }
    },
  };
}
