import type { Load } from "../load/load.ts";
import type { Party, PartyName } from "../parties/party.ts";
import type { RequestCount } from "../request-count.ts";
import type { Metrics } from "../rounds.ts";

/** A figure of a case, as the table shows it. */
export type Column = {
  key: string;
  title: string;
  digits: number;
  /** False where it is no figure to compare parties by. */
  compared?: false;
};

/** What a case gets to work with. */
export type Bench = {
  parties: readonly Party[];
  load: Load;
  /** Address of the model provider, without a path. */
  upstream: string;
  /** Every request that a case sends to a party is counted here. */
  count: RequestCount;
  rounds: number;
  seconds: number;
  connections: number;
  /** Says what is going on, on a line of its own. */
  progress: (line: string) => void;
};

/** Something that is measured. A new case is a file here and a line in `index.ts`. */
export type BenchCase = {
  name: string;
  title: string;
  columns: readonly Column[];
  /** Whether it runs when `--only` does not name it. */
  byDefault: boolean;
  run: (bench: Bench) => Promise<Map<PartyName, Metrics>>;
};
