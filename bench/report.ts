import { writeFile } from "node:fs/promises";
import type { BenchCase } from "./cases/case.ts";
import type { PartyName } from "./parties/party.ts";
import type { Metrics } from "./rounds.ts";

export type CaseResult = { benchCase: BenchCase; metrics: Map<PartyName, Metrics> };

/** Those that all parties are compared with, where they took part. */
const references: readonly PartyName[] = ["bare", "portkey_node"];

/** One case as a table: a line for each party with its figures, and each figure as a ratio to the references. */
export function formatCase({ benchCase, metrics }: CaseResult): string {
  const present = references.filter((name) => metrics.has(name));
  const compared = benchCase.columns.filter((column) => column.compared !== false);
  const header = [
    benchCase.name,
    ...benchCase.columns.map(({ title }) => title),
    ...present.flatMap((name) => compared.map(({ title }) => `${title.split(" ")[0]} ÷ ${name}`)),
  ];
  const lines = [...metrics].map(([party, own]) => [
    party,
    ...benchCase.columns.map(({ key, digits }) => shown(figure(own, key), digits)),
    ...present.flatMap((name) =>
      compared.map(({ key }) => shown(figure(own, key) / figure(metrics.get(name) ?? {}, key), 2)),
    ),
  ]);
  return `${benchCase.name}: ${benchCase.title}\n${formatTable([header, ...lines])}`;
}

function figure(metrics: Metrics, key: string): number {
  return metrics[key] ?? Number.NaN;
}

/** A figure that was not taken is a dash. */
function shown(value: number, digits: number): string {
  return Number.isNaN(value) ? "–" : value.toFixed(digits);
}

function formatTable(rows: readonly string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const format = (row: readonly string[]) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  ");
  return rows.map((row) => `  ${format(row)}`).join("\n");
}

/** Writes `{"chat": {"switchyard": {"rps", "p50_ms", "p99_ms"}, "bare": {…}, …}, …}`. */
export async function writeJson(path: string, results: readonly CaseResult[]): Promise<void> {
  const cases = results.map(({ benchCase, metrics }) => [
    benchCase.name,
    Object.fromEntries(
      [...metrics].map(([party, figures]) => [
        party,
        Object.fromEntries(Object.entries(figures).map(([key, value]) => [key, round(value)])),
      ]),
    ),
  ]);
  await writeFile(path, `${JSON.stringify(Object.fromEntries(cases), null, 2)}\n`);
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
