export interface Clock {
  now(): number;
  sleep(ms: number): Promise<void>;
}

export const SYSTEM_CLOCK: Clock = {
  now: () => Date.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/** Telegram takes about a message or edit a second in a chat, and twenty a minute in a group. */
export const PRIVATE_GAP_MS = 1_100;
export const GROUP_GAP_MS = 3_100;

/** Lets sends and edits of one chat through one at a time, no faster than Telegram allows. */
export class SendPace {
  private readonly gapMs: number;
  private readonly clock: Clock;
  private nextAt = 0;
  private busy = false;
  private waiting: (() => void)[] = [];

  constructor(gapMs: number, clock: Clock = SYSTEM_CLOCK, pausedUntil = 0) {
    this.gapMs = gapMs;
    this.clock = clock;
    this.nextAt = pausedUntil;
  }

  /** Whether a call would go out without waiting. */
  get ready(): boolean {
    return !this.busy && this.waiting.length === 0 && this.clock.now() >= this.nextAt;
  }

  /** Milliseconds until a call would go out, as far as is known. */
  get delay(): number {
    return Math.max(0, this.nextAt - this.clock.now());
  }

  /** Lets nothing through for some time. */
  pause(ms: number): void {
    this.nextAt = Math.max(this.nextAt, this.clock.now() + ms);
  }

  /** Runs a call when its turn has come. The gap is counted from its end: how long it was on its way is not known. */
  async run<T>(call: () => Promise<T>): Promise<T> {
    await this.enter();
    try {
      while (this.delay > 0) await this.clock.sleep(this.delay);
      return await call();
    } finally {
      this.pause(this.gapMs);
      this.leave();
    }
  }

  private async enter(): Promise<void> {
    if (!this.busy) {
      this.busy = true;
      return;
    }
    await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  private leave(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.busy = false;
  }
}
