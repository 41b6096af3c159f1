import type { Context } from "../kernel/context.ts";
import { afterEnd, type EndedJob, tellCancelled } from "./after-end.ts";
import { dispatchJobs, type DispatchParts } from "./dispatch/dispatch-jobs.ts";
import type { JobFeed } from "./job-feed.ts";
import type { JobDesk } from "./job-ports.ts";

export interface JobDeskParts extends DispatchParts {
  queueAgeLimitSeconds: number;
  feed: JobFeed;
  /** A context of the system's own: the caller's is over once its transaction is. */
  context(): Context;
  /** Goes on with the work when the answer is sent. */
  background(work: Promise<unknown>): void;
}

/** What makers of jobs need, over a queue and a feed. */
export function createJobDesk(parts: JobDeskParts): JobDesk {
  const see = async (ended: readonly EndedJob[]) => {
    const context = parts.context();
    try {
      await tellCancelled(context, parts.feed, ended);
      await afterEnd(context, parts.feed, ended);
      await dispatchJobs(context, parts);
    } catch (error) {
      context.log.warn("jobs_not_dispatched", { error }); // the sweeper does it within a minute
    }
  };
  return {
    queueAgeLimitSeconds: parts.queueAgeLimitSeconds,
    dispatch(ended = []) {
      parts.background(see(ended));
      return Promise.resolve();
    },
  };
}
