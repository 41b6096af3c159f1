import type { Dependency, FaultMode } from "./faults-stack.ts";

/**
 * What came back: a status, with the error's code where it is one. `200 … stream_cut` is a stream that ended with an
 * error event. With a `?` behind it, it may come and need not.
 */
export type Outcome = string;

/** What is seen while something fails. The same lines stand in docs/faults.md. */
export interface FaultRow {
  dependency: Dependency;
  mode: FaultMode;
  /** A key in use: by a model that has the failing provider only, and by one that has another behind it. */
  alone: Outcome[];
  pair: Outcome[];
  /** A key with a request limit, whose default is open, by the second model. */
  rated: Outcome[];
  /** A key with a budget that is spent during the run, by the second model. */
  budget: Outcome[];
  /** The first request of a key, by the second model. */
  unseen: Outcome[];
  /** A key is revoked. */
  change: Outcome[];
  /** `/ready`: status, and what it says. */
  ready: Outcome[];
  /** An event that operators find in the log. */
  log: string | null;
  /** How long answers take, for the docs. */
  takes: string;
}

const FINE = { alone: ["200"], pair: ["200"], rated: ["200"], unseen: ["200"], change: ["204"] };
/** Spent, or, while requests run, set aside for them. */
const SPENT = ["200", "429 insufficient_quota?", "429 rate_limit_exceeded?"];
const READY = ["200 ready"];
const MAYBE = ["200?", "503 unavailable?"];
/** What goes on while nothing is asked of the database, or of the Meter. */
const REFUSED = { unseen: ["503 unavailable"], change: ["503 unavailable"] };
const MAYBE_REFUSED = { unseen: MAYBE, change: ["204?", "503 unavailable?"] };
const CUT = ["502 stream_cut?", "200 … stream_cut?", "502 provider_error?"];

const ROWS_BY_DEPENDENCY: Record<Dependency, Omit<FaultRow, "dependency">[]> = {
  provider: [
    {
      ...FINE,
      mode: "down",
      alone: ["502 provider_unreachable"],
      budget: SPENT,
      ready: READY,
      log: "request",
      takes: "At once",
    },
    {
      ...FINE,
      mode: "silent",
      alone: ["504 provider_timeout"],
      budget: SPENT,
      ready: READY,
      log: "request",
      takes:
        "The provider's `timeout_ms`; with another target at once, when the circuit has opened",
    },
    {
      ...FINE,
      mode: "slow",
      budget: SPENT,
      ready: READY,
      log: null,
      takes: "As long as the provider does, within its time-outs",
    },
    {
      ...FINE,
      mode: "flapping",
      alone: ["200?", "502 provider_unreachable?", ...CUT],
      pair: ["200", "200 … stream_cut?"],
      rated: ["200", "200 … stream_cut?"],
      budget: [...SPENT, "200 … stream_cut?"],
      unseen: ["200", "200 … stream_cut?"],
      ready: READY,
      log: "request",
      takes: "At once",
    },
  ],
  cache: [
    {
      ...FINE,
      mode: "down",
      budget: SPENT,
      ready: ["200 degraded"],
      log: "cache_failed",
      takes: "At once",
    },
    {
      ...FINE,
      mode: "silent",
      budget: SPENT,
      ready: ["200 degraded"],
      log: "cache_failed",
      takes: "At once; a key's first request up to 1 s longer",
    },
    {
      ...FINE,
      mode: "slow",
      budget: SPENT,
      ready: ["200 ready?", "200 degraded?"],
      log: null,
      takes: "At once; a key's first request up to 1 s longer",
    },
    {
      ...FINE,
      mode: "flapping",
      budget: SPENT,
      ready: ["200 ready?", "200 degraded?"],
      log: null,
      takes: "At once",
    },
  ],
  database: [
    {
      ...FINE,
      ...REFUSED,
      mode: "down",
      budget: SPENT,
      ready: ["503 not_ready"],
      log: "usage_not_stored",
      takes: "At once",
    },
    {
      ...FINE,
      ...REFUSED,
      mode: "silent",
      budget: SPENT,
      ready: ["503 not_ready"],
      log: "request",
      takes:
        "Keys in use at once, now and then 0.5 s; what needs the database 503 after 5 s to 20 s",
    },
    {
      ...FINE,
      ...MAYBE_REFUSED,
      mode: "slow",
      budget: SPENT,
      ready: ["200 ready?", "503 not_ready?"],
      log: null,
      takes:
        "Keys in use at once, now and then 0.5 s; what needs the database as long as that takes",
    },
    {
      ...FINE,
      ...MAYBE_REFUSED,
      mode: "flapping",
      budget: SPENT,
      ready: ["200 ready?", "503 not_ready?"],
      log: null,
      takes: "At once",
    },
  ],
  meter: [
    {
      ...FINE,
      ...REFUSED,
      mode: "down",
      budget: ["200?", "503 unavailable"],
      ready: READY,
      log: "usage_report_failed",
      takes: "At once",
    },
    {
      ...FINE,
      ...REFUSED,
      mode: "silent",
      budget: ["200?", "503 unavailable"],
      ready: READY,
      log: null,
      takes:
        "The first requests wait up to 3 s, then at once; what needs its word 503 after 5 s, of an isolate that is new to the team after 10 s",
    },
    {
      ...FINE,
      ...MAYBE_REFUSED,
      mode: "slow",
      budget: [...SPENT, "503 unavailable?"],
      ready: READY,
      log: null,
      takes: "At once; where a lease has to be waited for, as long as the Meter takes",
    },
    {
      ...FINE,
      ...MAYBE_REFUSED,
      mode: "flapping",
      budget: [...SPENT, "503 unavailable?"],
      ready: READY,
      log: null,
      takes: "At once; where a lease has to be waited for, until the Meter is back",
    },
  ],
};

export const FAULT_ROWS: FaultRow[] = Object.entries(ROWS_BY_DEPENDENCY).flatMap(
  ([dependency, rows]) => rows.map((row) => ({ dependency: dependency as Dependency, ...row })), // Object.entries forgets the type of the keys
);

/** A row as docs/faults.md shows it. */
export function lineOf(row: FaultRow): string {
  const cells = [
    row.dependency,
    row.mode,
    said(row.alone),
    said(row.pair),
    said(row.budget),
    said(row.unseen),
    said(row.change),
    said(row.ready),
    row.log === null ? "–" : `\`${row.log}\``,
    row.takes,
  ];
  return `| ${cells.join(" | ")} |`;
}

const said = (outcomes: Outcome[]) =>
  outcomes.map((outcome) => `\`${outcome.replace("?", "")}\``).join(", ");
