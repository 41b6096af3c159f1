import { DurableObject } from "cloudflare:workers";
import type { FlightResult, FlightTurn } from "#core/response-cache/answer-store.ts";

/** A leader that has not been heard of for so long is dead; it says each second that it is not. */
const LEASE_MS = 3_000;
/** An answer stays for those who looked into the cache just before it came there. */
const KEEP_MS = 3_000;
/** How many may wait for one answer; others go on by themselves. */
const WAITING_LIMIT = 1_000;

interface Waiting {
  token: string;
  tell(turn: FlightTurn): void;
}

/**
 * Equal requests of one moment, wherever they came in: the first calls the provider, the others get its answer. One
 * object for each key of the response cache. It stores nothing: when it dies, those who wait go on by themselves.
 */
export class AnswerFlight extends DurableObject<ApiEnv> {
  private leader: { token: string; until: number } | null = null;
  private waiting: Waiting[] = [];
  private landed: { result: FlightResult; until: number } | null = null;
  private watch: ReturnType<typeof setTimeout> | null = null;

  /** @param token names the request */
  async join(token: string): Promise<FlightTurn> {
    const now = Date.now();
    if (this.landed && now < this.landed.until) return this.landed.result;
    if (this.leader && now < this.leader.until) return { state: "wait" };
    // Those who wait are served before those who come.
    if (this.leader) this.handOver();
    if (this.leader && this.waiting.length > 0) return { state: "wait" };
    return this.lead(token);
  }

  /** Ends with the answer, with `lead` when the leader has gone, or with `alone` after this long. */
  async wait(token: string, waitMs: number): Promise<FlightTurn> {
    if (this.landed && Date.now() < this.landed.until) return this.landed.result;
    if (!this.leader) return this.lead(token);
    if (this.waiting.length >= WAITING_LIMIT) return { state: "alone" };
    return new Promise((resolve) => {
      const waiting: Waiting = {
        token,
        tell(turn) {
          clearTimeout(timer);
          resolve(turn);
        },
      };
      const timer = setTimeout(() => {
        this.waiting = this.waiting.filter((other) => other !== waiting);
        resolve({ state: "alone" });
      }, waitMs);
      this.waiting.push(waiting);
      this.watchLeader();
    });
  }

  async renew(token: string): Promise<void> {
    if (this.leader?.token === token) this.leader.until = Date.now() + LEASE_MS;
  }

  /** @param result null where nothing came of it that others could use */
  async finish(token: string, result: FlightResult | null): Promise<void> {
    if (this.leader?.token !== token) return; // it was taken for dead, and another one leads
    if (result === null) {
      this.handOver();
      return;
    }
    this.leader = null;
    if (result.state === "answered") {
      this.landed = { result, until: Date.now() + KEEP_MS };
      setTimeout(() => (this.landed = null), KEEP_MS);
    }
    for (const { tell } of this.waiting.splice(0)) tell(result);
  }

  private lead(token: string): FlightTurn {
    this.leader = { token, until: Date.now() + LEASE_MS };
    return { state: "lead" };
  }

  /** Lets the one lead that has waited longest. */
  private handOver(): void {
    this.leader = null;
    const next = this.waiting.shift();
    if (next) next.tell(this.lead(next.token));
  }

  private watchLeader(): void {
    if (this.watch !== null || this.waiting.length === 0) return;
    const left = Math.max(0, (this.leader?.until ?? 0) - Date.now());
    this.watch = setTimeout(() => {
      this.watch = null;
      if (this.leader && Date.now() >= this.leader.until) this.handOver();
      this.watchLeader();
    }, left + 1);
  }
}
