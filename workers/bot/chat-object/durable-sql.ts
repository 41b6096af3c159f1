import type { SqlDatabase, SqlValue } from "./sql-database.ts";

/** A Durable Object's SQLite. */
export function sqlOf(storage: DurableObjectStorage): SqlDatabase {
  return {
    all: <Row>(statement: string, ...values: SqlValue[]) =>
      storage.sql.exec(statement, ...values).toArray() as Row[], // named by the caller
    transaction: (work) => storage.transactionSync(work),
  };
}
