import { DrizzleQueryError } from "drizzle-orm";

/** SQLSTATE of a value that a unique index already has, and of one that refers to a row that is not there. */
const UNIQUE_VIOLATION = "23505";
const FOREIGN_KEY_VIOLATION = "23503";

/** Classes of errors that lie in the values, so that trying again cannot help: bad data, broken constraints, limits. */
const DATA_ERROR = /^(22|23|54)[0-9A-Z]{3}$/;

/** Of a server that cannot be connected to, has too many connections, or is shutting down or starting. */
const NOT_SERVING = /^(08[0-9A-Z]{3}|53300|57P0[1-5])$/;
/** What Postgres says has such a code; what the connection says has none, or one like `ECONNRESET`. */
const SQL_STATE = /^([0-9][0-9A-Z]|F0|HV|P0|XX)[0-9A-Z]{3}$/;

/** How deep a driver's error may sit in those that wrap it. */
const CAUSES = 5;

/** Whether a query failed because a unique index already has the value, whichever driver and wrapper threw. */
export function isUniqueViolation(error: unknown): boolean {
  return sqlStatesOf(error).includes(UNIQUE_VIOLATION);
}

/** Whether a query failed because a row that it refers to is not there, such as that of a deleted team. */
export function isForeignKeyViolation(error: unknown): boolean {
  return sqlStatesOf(error).includes(FOREIGN_KEY_VIOLATION);
}

/** Whether a query failed because of the values that it was given. */
export function isDataError(error: unknown): boolean {
  return sqlStatesOf(error).some((state) => DATA_ERROR.test(state));
}

/**
 * Whether a query failed because Postgres could not be reached or does not serve: then nothing is wrong with the query,
 * and the same one may succeed in a moment.
 */
export function isUnreachable(error: unknown): boolean {
  const states = sqlStatesOf(error).filter((state) => SQL_STATE.test(state));
  if (states.some((state) => NOT_SERVING.test(state))) return true;
  return error instanceof DrizzleQueryError && states.length === 0;
}

function sqlStatesOf(error: unknown): string[] {
  const states: string[] = [];
  let current = error;
  for (let depth = 0; depth < CAUSES && current instanceof Error; depth++) {
    if ("code" in current && typeof current.code === "string") states.push(current.code);
    current = current.cause;
  }
  return states;
}
