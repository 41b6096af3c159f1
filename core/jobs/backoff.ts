const FIRST_SECONDS = 1;
const LONGEST_SECONDS = 600;
/** The longest pause that an error may ask for. */
const LONGEST_ASKED_SECONDS = 3600;

/**
 * The pause before the next attempt: doubled each time, and shortened by up to half at random, so that jobs which
 * failed together do not come back together.
 * @param failures attempts in a row that failed, from 1
 * @param asked what the error asks for, in seconds
 * @returns seconds
 */
export function backoffSeconds(
  failures: number,
  asked: number | undefined,
  random: number = Math.random(),
): number {
  const full = Math.min(FIRST_SECONDS * 2 ** Math.min(failures - 1, 30), LONGEST_SECONDS);
  return Math.max(full * (0.5 + random / 2), Math.min(asked ?? 0, LONGEST_ASKED_SECONDS));
}
