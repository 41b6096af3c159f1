export type SqlValue = string | number | null;

/** The object's SQLite, as the stores see it; tests give them another SQLite. */
export interface SqlDatabase {
  /** Runs one statement. The caller names the shape of the rows that its own statement returns. */
  all<Row = Record<string, SqlValue>>(statement: string, ...values: SqlValue[]): Row[];
  /** Everything inside is written together, or nothing is. */
  transaction<T>(work: () => T): T;
}
