/** After so long somebody who dispatches is taken to have died in the middle, in milliseconds. */
const TAKEN_MS = 3_000;

/**
 * Whose turn it is to dispatch in one isolate. When many jobs end there at about the same time, one of them looks for
 * all; the others need not even ask the database. Plain values, since one request must not hold anything of another.
 */
export class DispatchTurn {
  /** Grows with each who would dispatch. */
  asked = 0;
  #takenUntil = 0;

  /** @returns false when somebody else has it, who will look again */
  take(): boolean {
    this.asked += 1;
    if (performance.now() < this.#takenUntil) return false;
    this.renew();
    return true;
  }

  /** Before each look. @returns what `asked` was before it */
  renew(): number {
    this.#takenUntil = performance.now() + TAKEN_MS;
    return this.asked;
  }

  leave(): void {
    this.#takenUntil = 0;
  }
}
