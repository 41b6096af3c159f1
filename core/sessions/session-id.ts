import { sha256 } from "../kernel/digest.ts";
import { AppError } from "../kernel/errors.ts";
import { isId } from "../kernel/ids.ts";

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"; // as in newId
const LENGTH = 26;

/**
 * The id of the session that a call under this retry key makes: always the same, so that the call, sent again, finds
 * the session that it made, without a table that says so. It has the shape of an id, and does not sort by time.
 */
export async function sessionIdFor(retryKey: string): Promise<string> {
  const digest = await sha256(`session\n${retryKey}`);
  let id = "";
  for (const byte of digest.subarray(0, LENGTH)) id += ALPHABET[byte & 31];
  return `sess_${id}`;
}

/** The one answer for a session that is not there and for one that is none of the caller's business. */
export function noSuchSession(): AppError {
  return new AppError("not_found", {
    message: "There is no such session. It may have been deleted, or have expired.",
    param: "session_id",
  });
}

/**
 * Refuses what cannot be a session's id, so that nothing is asked of an object that nobody made.
 * @throws AppError `not_found`
 */
export function checkSessionId(named: string): void {
  if (!isId("session", named)) throw noSuchSession();
}
