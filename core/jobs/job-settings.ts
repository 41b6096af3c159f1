/** How jobs are worked; the same in every Worker. Times in seconds. */
export interface JobSettings {
  /** Jobs that may hold a part of the capacity at once: of all teams, and of one. */
  capacity: number;
  teamCapacity: number;
  /** A process that has not been heard of for so long is taken to be dead. */
  leaseSeconds: number;
  /** After so long a job goes on in a new message, at its next step or chunk. */
  sliceSeconds: number;
  /** A process gives a job up that has not come to the end of a step after so long. */
  stepSeconds: number;
  /** Jobs of low priority are refused while others wait for so long. */
  queueAgeLimitSeconds: number;
}

/** A message that nobody has taken after so many seconds has probably been lost. A second one does no harm. */
export const MESSAGE_OVERDUE_SECONDS = 30;

/** Sleeps and pauses up to so long end by a delayed message, in seconds; longer ones by the sweeper's tick. */
export const WAKE_MESSAGE_SECONDS = 90;

/** Attempts in a row without progress before a job has failed, where its type does not say. */
export const MAX_ATTEMPTS = 5;
