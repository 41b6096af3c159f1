import type { EndedJob } from "./after-end.ts";

/** Carries messages to whoever works jobs. A message is a job's id and nothing else; it may be lost or come twice. */
export interface JobQueue {
  /** @param delaySeconds whole seconds before they are delivered */
  send(jobIds: readonly string[], delaySeconds?: number): Promise<void>;
}

/** What makers of jobs need besides the database. */
export interface JobDesk {
  /**
   * Lets waiting jobs in; called after the commit. Best effort: the sweeper does it within a minute too.
   * @param cancelled jobs that have just been ended by hand: watchers are told, and whoever waits for them goes on
   */
  dispatch(cancelled?: readonly EndedJob[]): Promise<void>;
  /** Jobs of low priority are refused while others have waited for so long, in seconds. */
  queueAgeLimitSeconds: number;
}
