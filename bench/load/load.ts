/** One HTTP request that is sent over and over, and what each of its answers must look like. */
export type LoadRequest = {
  url: string;
  headers: Record<string, string>;
  body: string;
  /** A file with an `authorization` for each line, of which each request takes the next one. Only `wrk` can do it. */
  credentialsFile?: string;
  expect: {
    /** Text that each answer's body contains. */
    contains: string;
    /** Length of the body of a checked sample; each answer keeps to it within `lengthTolerance`. */
    length: number;
  };
};

export type LoadOptions = { connections: number; seconds: number };

export type RoundResult = {
  rps: number;
  p50Ms: number;
  p99Ms: number;
  /** Answers that arrived whole. */
  answered: number;
  /** Requests that were under way when the round ended, and were cut. */
  cut: number;
};

/** A load generator in a process of its own. It throws where an answer is not a 200 or not the expected one. */
export type Load = {
  name: string;
  round: (request: LoadRequest, options: LoadOptions) => Promise<RoundResult>;
};

/** A party may write a request id or a time into its answer, but nothing longer. */
export const lengthTolerance = 64;

/** The smallest value that `share` of all values do not exceed. Sorts `values` in place. */
export function percentile(values: Float64Array, share: number): number {
  values.sort();
  return values[Math.max(0, Math.ceil(values.length * share) - 1)] ?? Number.NaN;
}
