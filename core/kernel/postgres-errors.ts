/** SQLSTATE of a value that a unique index already has, and of one that refers to a row that is not there. */
const UNIQUE_VIOLATION = "23505";
const FOREIGN_KEY_VIOLATION = "23503";

/** Classes of errors that lie in the values, so that trying again cannot help: bad data, broken constraints, limits. */
const DATA_ERROR = /^(22|23|54)[0-9A-Z]{3}$/;

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

function sqlStatesOf(error: unknown): string[] {
  const states: string[] = [];
  let current = error;
  for (let depth = 0; depth < CAUSES && current instanceof Error; depth++) {
    if ("code" in current && typeof current.code === "string") states.push(current.code);
    current = current.cause;
  }
  return states;
}
