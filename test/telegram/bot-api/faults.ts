import type { ErrorParameters } from "./bot-api-error.ts";

/** What goes wrong with the next calls of a method. */
export interface Fault {
  /** `*` is any method. */
  method: string;
  /** How many calls it hits; 1 unless told. */
  times?: number;
  /** Hits only calls to this chat. */
  chatId?: number;
  /** Answers with this status in place of the result, and does nothing. */
  status?: number;
  description?: string;
  parameters?: ErrorParameters;
  /** Answers with this text instead of JSON, as a proxy in between would. */
  rawBody?: string;
  /** Waits before anything else. */
  delayMs?: number;
  /** Cuts the connection, before the call has an effect or after it. */
  drop?: "before" | "after";
}

interface Planned extends Fault {
  left: number;
}

/** The scripted faults, in the order in which they were planned. */
export class Faults {
  #planned: Planned[] = [];

  plan(fault: Fault): void {
    this.#planned.push({ ...fault, left: fault.times ?? 1 });
  }

  clear(): void {
    this.#planned = [];
  }

  take(method: string, chatId: number | undefined): Fault | undefined {
    const fault = this.#planned.find(
      (one) =>
        one.left > 0 &&
        (one.method === "*" || one.method === method) &&
        (one.chatId === undefined || one.chatId === chatId),
    );
    if (fault) fault.left -= 1;
    return fault;
  }
}
