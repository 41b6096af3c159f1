import type { JobError } from "./job-lease.ts";

/** Why a program is not run on, before it has come to its end. */
export type Stop =
  /** Somebody else has the job, or it is gone. */
  | { kind: "lost" }
  | { kind: "cancelled" }
  /** It waits for something, and that is written. `seconds`: until it is due, null without a time. */
  | { kind: "parked"; waitingFor: string; seconds: number | null }
  /** Its time is up, and another message goes on. */
  | { kind: "hand_over" }
  | { kind: "team_off" }
  /** It cannot go on however often it is tried. */
  | { kind: "refused"; error: JobError }
  /** A step took longer than a process may. */
  | { kind: "overtime" }
  /** What we needed ourselves failed, such as the database. */
  | { kind: "fault"; error: unknown };

/** Where a program is stopped. The first stop counts; whoever awaits a step that was stopped waits for ever. */
export class StopSign {
  readonly #controller = new AbortController();
  readonly #stopped: Promise<Stop>;
  #raise: (stop: Stop) => void = () => undefined;
  #stop: Stop | null = null;

  constructor() {
    this.#stopped = new Promise((resolve) => (this.#raise = resolve));
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get stop(): Stop | null {
    return this.#stop;
  }

  /** Settles once a stop was raised. */
  get stopped(): Promise<Stop> {
    return this.#stopped;
  }

  raise(stop: Stop): void {
    if (this.#stop) return;
    this.#stop = stop;
    this.#raise(stop);
    this.#controller.abort();
  }

  /**
   * What some work of the program gives, or null where the program is stopped before. Nothing of it is held afterwards:
   * a race with the one promise of the stop would keep what each chunk gave until the job's end.
   */
  async unlessStopped<T>(work: Promise<T>): Promise<T | null> {
    if (this.#stop) return null;
    let hear = () => {};
    const stopped = new Promise<null>((resolve) => (hear = () => resolve(null)));
    this.signal.addEventListener("abort", hear);
    try {
      return await Promise.race([work, stopped]);
    } finally {
      this.signal.removeEventListener("abort", hear);
    }
  }

  /** Raises a stop, and never returns: the program is left where it is. */
  halt(stop: Stop): Promise<never> {
    this.raise(stop);
    return new Promise(() => undefined);
  }
}
