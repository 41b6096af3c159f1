/** Who reads VINs beside our own data. */
export type ServiceName = "nhtsa" | "autodev";

/** How a service is called where its values stand. */
export const SERVICE_TITLE: Readonly<Record<ServiceName, string>> = {
  nhtsa: "NHTSA vPIC",
  autodev: "auto.dev",
};

/** What a service says of a VIN, in vPIC's terms. */
export interface ServiceFacts {
  service: ServiceName;
  manufacturer: string | null;
  make: string | null;
  model: string | null;
  year: number | null;
  /** Kind of vehicle, such as `Passenger Car`. */
  type: string | null;
  /** Everything else by vPIC's number, or one of ours from 100,000 on; see element-names.ts. */
  values: ReadonlyMap<number, string>;
  /** It explained every character and names one vehicle. */
  sure: boolean;
  /** Several vehicles have such a VIN, and it names one of them. */
  ambiguous: boolean;
}

/** A service could not be asked, or its answer was of no use. */
export interface ServiceFailure {
  /** For the log. Never holds a key. */
  message: string;
  timedOut: boolean;
  /** For how long it wants to be left alone, in milliseconds; 0 where it did not say. */
  retryAfterMs: number;
}

/** What came of a question about some VINs. Those that nothing is known of are in neither list. */
export interface ServiceAnswer {
  facts: ReadonlyMap<string, ServiceFacts>;
  /** VINs that got no answer, and may get one another time. */
  unanswered: readonly string[];
  /** Why, for the log; null where all got one. */
  failure: ServiceFailure | null;
}

/** How a service is reached. */
export interface ServiceReach {
  fetch(url: string, init: RequestInit): Promise<Response>;
  /** Without a slash at the end. */
  baseUrl: string;
}
