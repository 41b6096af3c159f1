/** SQLSTATE of a value that a unique index already has. */
const UNIQUE_VIOLATION = "23505";

/** How deep a driver's error may sit in those that wrap it. */
const CAUSES = 5;

/** Whether a query failed because a unique index already has the value, whichever driver and wrapper threw. */
export function isUniqueViolation(error: unknown): boolean {
  let current = error;
  for (let depth = 0; depth < CAUSES && current instanceof Error; depth++) {
    if ("code" in current && current.code === UNIQUE_VIOLATION) return true;
    current = current.cause;
  }
  return false;
}
