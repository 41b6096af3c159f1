/** A response to keep. What was said travels as JSON text, as it lies in its object. */
export interface ResponseToKeep {
  /** `resp_…` */
  id: string;
  /** The response that it goes on from. */
  previousId: string | null;
  /** Whose it is within the team, where the request said so. */
  endUser: string | null;
  /** The items of its own input, as a JSON list. */
  input: string;
  /** The response as its client gets it. */
  response: string;
}

/** One response of a chain. */
export interface KeptResponse {
  input: string;
  response: string;
}

/** A response with all those before it, the oldest first; or why they are not to be had. */
export type KeptChain =
  | { state: "found"; responses: KeptResponse[] }
  | { state: "unknown" }
  /** One of those before it was deleted. */
  | { state: "broken" }
  | { state: "too_long" };

/**
 * Responses that go on from one another, in the object that keeps them. Who names an end user reaches that user's
 * responses only; null reaches all. A response that is over its time is not there.
 */
export interface ResponseChainStore {
  keep(response: ResponseToKeep): Promise<void>;
  /** Null where there is none. */
  read(id: string, endUser: string | null): Promise<KeptResponse | null>;
  chain(id: string, endUser: string | null): Promise<KeptChain>;
  /** @returns false where there is none */
  erase(id: string, endUser: string | null): Promise<boolean>;
}

/** Opens the object of a team's chain. Its methods throw AppError `unavailable` where it cannot be reached. */
export type OpenResponseChain = (teamId: string, chain: string) => ResponseChainStore;

/** How long the texts of a chain may be together, in UTF-16 units: what a request's own body may be. */
export const LONGEST_CHAIN = 10_000_000;
