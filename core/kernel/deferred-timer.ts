/**
 * A timer whose time is put off again and again. To set and clear one for each step costs more than the step, so one
 * that is set goes on, and what is left by then is waited for when it fires.
 */
export class DeferredTimer {
  private readonly onTime: () => void;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private firesAt = 0;
  private dueAt = Infinity;

  constructor(onTime: () => void) {
    this.onTime = onTime;
  }

  /** Calls back at this time, milliseconds since 1970, and at no earlier one that was set before. */
  at(time: number): void {
    this.dueAt = time;
    if (this.timer !== null && time >= this.firesAt) return;
    if (this.timer !== null) clearTimeout(this.timer);
    this.arm();
  }

  /** Calls back no more, until another time is set. What is set of the timer ends by itself. */
  pause(): void {
    this.dueAt = Infinity;
  }

  /** Leaves nothing behind. */
  end(): void {
    this.dueAt = Infinity;
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  private arm(): void {
    this.firesAt = this.dueAt;
    this.timer = setTimeout(this.fire, Math.max(0, this.dueAt - Date.now()));
  }

  private readonly fire = () => {
    this.timer = null;
    if (this.dueAt === Infinity) return;
    // A clock that was set back has to be waited for again; one that was set forward ends the wait.
    if (Date.now() < this.dueAt) return this.arm();
    this.dueAt = Infinity;
    this.onTime();
  };
}
