import { expireSessions as expire } from "../sessions/expire-sessions.ts";
import type { Schedule } from "./schedule.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** Sessions erase themselves; what is left so long after is a row without one. */
const GRACE_DAYS = 2;

/** Removes what the index of sessions has of sessions that are gone. */
export const expireSessions: Schedule = {
  name: "expire_sessions",
  description: `Removes sessions from lists that were not used for SESSION_IDLE_DAYS and ${GRACE_DAYS} days more.`,
  cadence: { cron: "47 4 * * *", clock: "local" },
  missed: "catch_up",
  leaseSeconds: 600,
  retries: 1,
  async run(context) {
    const days = context.sessionIdleDays + GRACE_DAYS;
    const before = new Date(context.now().getTime() - days * DAY_MS);
    const { sessions, more } = await expire(context, { before, deadline: context.deadline });
    return { sessions_deleted: sessions, more };
  },
};
