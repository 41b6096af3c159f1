/** How long a test waits for what has to come; generous, since a busy machine is no failure. */
const DEADLINE_MS = 60_000;

/** Tries until the check passes, and fails with the check's own error when it never does. */
export async function eventually<T>(
  check: () => Promise<T> | T,
  deadlineMs: number = DEADLINE_MS,
): Promise<T> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
