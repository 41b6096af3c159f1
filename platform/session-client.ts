import { AppError } from "#core/kernel/errors.ts";
import type { OpenSession, SessionStore } from "#core/sessions/session.ts";
import type { Session } from "./durable-objects/session.ts";

/** A call is tried this often; every one of them may be repeated without harm. */
const ATTEMPTS = 3;
const PAUSE_MS = 100;

/**
 * The sessions' objects as a Worker sees them, found by the session's id. A call that does not get through is repeated.
 * Their methods throw AppError `unavailable` when an object stays out of reach.
 */
export function createSessionClient(namespace: DurableObjectNamespace<Session>): OpenSession {
  return (sessionId) => {
    const call = async <T>(work: (session: SessionStore) => Promise<T>): Promise<T> => {
      for (let attempt = 1; ; attempt++) {
        try {
          // A stub that has failed stays broken, so each attempt takes a new one.
          return await work(namespace.get(namespace.idFromName(sessionId)));
        } catch (cause) {
          if (attempt >= ATTEMPTS) throw outOfReach(cause);
          await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * attempt));
        }
      }
    };
    return {
      read: (teamId) => call((session) => session.read(teamId)),
      change: (teamId, changes) => call((session) => session.change(teamId, changes)),
      messages: (teamId, page) => call((session) => session.messages(teamId, page)),
      reset: (teamId) => call((session) => session.reset(teamId)),
      erase: (teamId) => call((session) => session.erase(teamId)),
      begin: (teamId, turn) => call((session) => session.begin(teamId, turn)),
      renew: (turnId) => call((session) => session.renew(turnId)),
      finish: (end) => call((session) => session.finish(end)),
      abandon: (turnId) => call((session) => session.abandon(turnId)),
    };
  };
}

function outOfReach(cause: unknown): AppError {
  return new AppError("unavailable", {
    message: "The session cannot be reached right now. Try again in a moment.",
    retryAfterSeconds: 1,
    cause,
  });
}
