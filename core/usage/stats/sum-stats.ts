import { RAIL_EVENTS, type RailEvent } from "../../guard-rails/rail-events.ts";
import { type LatencyHistogram, mergeHistograms, quantile } from "./latency-histogram.ts";

/** Requests of one combination of model, provider and ending; '' stands for none. */
export interface StatsRow {
  model: string;
  provider: string;
  /** HTTP status. */
  status: number;
  errorCode: string;
  /** As in `tokens/minute`. */
  refusedBy: string;
  requests: number;
  cached: number;
  cacheMisses: number;
  guardRails: RailCounts;
  latency: LatencyHistogram;
  firstToken: LatencyHistogram;
}

/** Requests to which guard rails did something; one may be in several. */
export type RailCounts = Record<RailEvent, number>;

/** Times in milliseconds; null where there are none. */
export interface Quantiles {
  p50: number | null;
  p95: number | null;
  p99: number | null;
}

export interface Figures {
  requests: number;
  /** Requests with a status from 400 on. */
  errors: number;
  /** Requests that the response cache answered, and those for which it had no answer. */
  cached: number;
  cacheMisses: number;
  /** Of requests that were answered, until the end of the answer. */
  latency: Quantiles;
  /** Of streams, until their first token. */
  firstToken: Quantiles;
}

export interface StatsSums extends Figures {
  /** How requests failed, the most frequent first. */
  errorsBy: { status: number; code: string | null; requests: number }[];
  /** Requests that a limit refused, by what the limit counts and for how long; null for a limit without a window. */
  refusedBy: { unit: string; window: string | null; requests: number }[];
  guardRails: RailCounts;
  /** The most used first; null is requests that named no model that they could use. */
  models: (Figures & { model: string | null })[];
  /** The most used first. Requests that reached no provider are in none. */
  providers: (Figures & { provider: string })[];
}

/** Models and providers that are told one by one; the sums count all of them. */
const LISTED = 100;

/** Adds rows up: in total, by model, by provider, by how they failed. */
export function sumStats(rows: readonly StatsRow[]): StatsSums {
  const errors = rows.filter(({ status }) => status >= 400);
  const refused = rows.filter(({ refusedBy }) => refusedBy !== "");
  const reached = rows.filter(({ provider }) => provider !== "");
  return {
    ...figuresOf(rows),
    errorsBy: groupsOf(errors, ({ status, errorCode }) => `${status} ${errorCode}`).map(
      ([one, group]) => ({
        status: one.status,
        code: one.errorCode || null,
        requests: requestsOf(group),
      }),
    ),
    refusedBy: groupsOf(refused, ({ refusedBy }) => refusedBy).map(([one, group]) => {
      const [unit = "", window = null] = one.refusedBy.split("/");
      return { unit, window, requests: requestsOf(group) };
    }),
    guardRails: railsOf(rows),
    models: groupsOf(rows, ({ model }) => model).map(([one, group]) => ({
      model: one.model || null,
      ...figuresOf(group),
    })),
    providers: groupsOf(reached, ({ provider }) => provider).map(([one, group]) => ({
      provider: one.provider,
      ...figuresOf(group),
    })),
  };
}

/** Groups by a name, the largest first, at most as many as are listed; each with its first row. */
function groupsOf(rows: readonly StatsRow[], nameOf: (row: StatsRow) => string) {
  const groups = new Map<string, [StatsRow, StatsRow[]]>();
  for (const row of rows) {
    const group = groups.get(nameOf(row));
    if (group) group[1].push(row);
    else groups.set(nameOf(row), [row, [row]]);
  }
  return [...groups]
    .map(([name, [first, group]]) => ({ name, first, group, requests: requestsOf(group) }))
    .sort(
      (one, other) => other.requests - one.requests || (one.name < other.name ? -1 : 1), // always in one order
    )
    .slice(0, LISTED)
    .map(({ first, group }): [StatsRow, StatsRow[]] => [first, group]);
}

const sum = (rows: readonly StatsRow[], valueOf: (row: StatsRow) => number) =>
  rows.reduce((total, row) => total + valueOf(row), 0);
const requestsOf = (rows: readonly StatsRow[]) => sum(rows, ({ requests }) => requests);

function railsOf(rows: readonly StatsRow[]): RailCounts {
  const total: RailCounts = {
    input_denied: 0,
    input_masked: 0,
    output_denied: 0,
    output_masked: 0,
  };
  for (const { guardRails } of rows)
    for (const name of RAIL_EVENTS) total[name] += guardRails[name];
  return total;
}

function figuresOf(rows: readonly StatsRow[]): Figures {
  // What was refused within a millisecond says nothing of how long answers take.
  const answered = rows.filter(({ status }) => status < 400);
  return {
    requests: requestsOf(rows),
    errors: requestsOf(rows) - requestsOf(answered),
    cached: sum(rows, ({ cached }) => cached),
    cacheMisses: sum(rows, ({ cacheMisses }) => cacheMisses),
    latency: quantilesOf(answered.map(({ latency }) => latency)),
    firstToken: quantilesOf(answered.map(({ firstToken }) => firstToken)),
  };
}

function quantilesOf(histograms: readonly LatencyHistogram[]): Quantiles {
  const all = histograms.reduce(mergeHistograms, new Map());
  return { p50: quantile(all, 0.5), p95: quantile(all, 0.95), p99: quantile(all, 0.99) };
}
