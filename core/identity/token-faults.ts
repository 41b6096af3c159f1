import { AppError } from "../kernel/errors.ts";

/** RFC 6750, section 3: tells a client that another token may help. */
const CHALLENGE = { "www-authenticate": 'Bearer error="invalid_token"' };

/**
 * A token that is none.
 * @param why what is wrong with it, to follow "is not valid:"; the bearer holds the token, so it tells nothing new
 */
export function invalidToken(why: string, cause?: unknown): AppError {
  return new AppError("invalid_token", {
    message: `This token is not valid: ${why}.`,
    headers: CHALLENGE,
    cause,
  });
}

export function expiredToken(): AppError {
  return new AppError("expired_token", {
    message: "This token has expired. Get a new one from its issuer.",
    headers: CHALLENGE,
  });
}
