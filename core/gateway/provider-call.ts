import { DeferredTimer } from "../kernel/deferred-timer.ts";

/**
 * A call to a provider, and what can end it before its time: the client, who hangs up, or its own time limit. It has
 * one timer and one listener for all its phases, since each costs as much as the rest of a phase.
 */
export class ProviderCall {
  private readonly controller = new AbortController();
  private readonly clientSignal: AbortSignal | null;
  private reason: "client" | "timeout" | null = null;
  private readonly timer = new DeferredTimer(() => this.abort("timeout"));

  /** @param clientSignal aborted when the client hangs up */
  constructor(clientSignal: AbortSignal | null) {
    this.clientSignal = clientSignal;
    if (clientSignal?.aborted) this.onHangUp();
    clientSignal?.addEventListener("abort", this.onHangUp, { once: true });
  }

  /** For whatever takes part in the call: aborted when it has to end. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Who ended the call before its time; null while nobody has. */
  get aborted(): "client" | "timeout" | null {
    return this.reason;
  }

  /** Ends the call; the provider sees the connection close. */
  abort(reason: "client" | "timeout"): void {
    this.reason ??= reason;
    this.end();
    this.controller.abort();
  }

  /** The next phase begins, and may take so many milliseconds from now on. */
  within(milliseconds: number): void {
    this.timer.at(Date.now() + milliseconds);
  }

  /** Nobody watches the time any more, until the next phase. */
  untimed(): void {
    this.timer.end();
  }

  /** The call has ended by itself. */
  end(): void {
    this.untimed();
    this.clientSignal?.removeEventListener("abort", this.onHangUp);
  }

  private readonly onHangUp = () => this.abort("client");
}
