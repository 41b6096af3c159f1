import type { OpenSession, SessionInfo, SessionStore } from "./session.ts";

/**
 * Sessions as one end user of a team sees them: those of others are not there. Whose a session is never changes, so
 * that it may be looked at first.
 */
export function onlySessionsOf(endUser: string, open: OpenSession): OpenSession {
  return (sessionId) => {
    const store = open(sessionId);
    const own = (info: SessionInfo | null) => (info?.endUser === endUser ? info : null);
    const ifOwn = async <T>(teamId: string | null, work: () => Promise<T>, hidden: T): Promise<T> =>
      own(await store.read(teamId)) === null ? hidden : work();
    const seen: SessionStore = {
      read: async (teamId) => own(await store.read(teamId)),
      change: (teamId, changes) => ifOwn(teamId, () => store.change(teamId, changes), null),
      messages: (teamId, page) => ifOwn(teamId, () => store.messages(teamId, page), null),
      reset: (teamId) => ifOwn(teamId, () => store.reset(teamId), null),
      erase: (teamId) => ifOwn(teamId, () => store.erase(teamId), false),
      begin: (teamId, turn) =>
        turn.create === null
          ? ifOwn(teamId, () => store.begin(teamId, turn), { state: "unknown" })
          : store.begin(teamId, turn),
      renew: (turnId) => store.renew(turnId),
      finish: (end) => store.finish(end),
      abandon: (turnId) => store.abandon(turnId),
    };
    return seen;
  };
}
