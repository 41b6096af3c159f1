import type { ErrorCode } from "../kernel/errors.ts";

/** A whole answer: the JSON text of a completion, or the events of a stream as the provider sent them. */
export interface StoredAnswer {
  body: string;
  /** Milliseconds since 1970. */
  storedAt: number;
}

/** How the call that others waited for ended. */
export type FlightResult =
  | { state: "answered"; answer: StoredAnswer }
  | {
      state: "failed";
      code: ErrorCode;
      message: string;
      param?: string | undefined;
      retryAfterSeconds?: number | undefined;
    };

/**
 * What one of several equal requests is told: to call the provider, for itself and for those who wait; to wait; what
 * came of it; or to go on by itself.
 */
export type FlightTurn = { state: "lead" } | { state: "wait" } | { state: "alone" } | FlightResult;

/** Equal requests of one moment, wherever they came in. Nothing here throws: what fails says `alone`. */
export interface Flight {
  join(): Promise<FlightTurn>;
  /** After a `wait`. @param waitMs then it says `alone` */
  wait(waitMs: number): Promise<FlightTurn>;
  /** The leader is alive. */
  renew(): Promise<void>;
  /** The leader is done; with null, one of those who wait is to lead. */
  finish(result: FlightResult | null): Promise<void>;
}

/** Where answers are kept. Losing one costs a call, so nothing here throws: a failure is a miss. */
export interface AnswerStore {
  read(key: string): Promise<StoredAnswer | null>;
  write(key: string, answer: StoredAnswer, seconds: number): Promise<void>;
  flight(key: string): Flight;
}
