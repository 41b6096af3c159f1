import type { LimitState } from "../meter/limit-state.ts";

/** What a request takes at most, in the worst case. */
export interface WorstCase {
  /** Input and output together, of all choices and copies. */
  tokens: number;
  /** At the price of the dearest target. */
  micros: number;
  /** The most tokens that each choice may have; goes into the request where the client set no such bound. */
  outputCap: number;
}

/** A request that its limits let through. What it took is settled when its usage record is reported. */
export interface Admission {
  /** Put this into the request as its `max_tokens`, where it names none; null where no limit counts tokens or money. */
  outputCap: number | null;
  /** The request's limits as this isolate knows them, for headers; empty where there are none. */
  states(): readonly LimitState[];
}

const NO_STATES: readonly LimitState[] = [];

/** The admission of a request that nothing limits. */
export const UNLIMITED: Admission = { outputCap: null, states: () => NO_STATES };
