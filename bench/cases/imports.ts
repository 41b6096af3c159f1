import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { z } from "zod";
import { nodeImport, workerImport } from "../imports/import-found.ts";
import type { PartyName } from "../parties/party.ts";
import type { Metrics } from "../rounds.ts";
import type { Bench, BenchCase } from "./case.ts";

const ROWS = { few: 1_000_000, many: 4_000_000 } as const;

/** Advertising data from a file into Postgres, beside COPY of the same rows, and what memory it takes as files grow. */
export const imports: BenchCase = {
  name: "imports",
  title: `an import of ${ROWS.few.toLocaleString("en")} rows, beside COPY of the same rows; memory at ${ROWS.many.toLocaleString("en")}`,
  byDefault: false,
  columns: [
    { key: "rows_per_s", title: "rows/s", digits: 0 },
    { key: "copy_rows_per_s", title: "COPY rows/s", digits: 0 },
    { key: "of_copy", title: "of COPY", digits: 2 },
    { key: "peak_mb", title: "peak MiB", digits: 0 },
    { key: "peak_growth", title: "peak, 4 times the rows", digits: 2 },
    { key: "worker_rows_per_s", title: "Workers rows/s", digits: 0 },
    { key: "worker_peak_mb", title: "Workers peak MiB", digits: 0 },
    { key: "worker_peak_growth", title: "Workers peak, 4 times the rows", digits: 2 },
  ],
  run,
};

async function run({ parties, progress }: Bench): Promise<Map<PartyName, Metrics>> {
  if (!parties.some(({ name }) => name === "switchyard")) return new Map();
  progress(`importing ${ROWS.few} rows`);
  const few = await measure("import-process.ts", ROWS.few, nodeImport);
  progress(`importing ${ROWS.many} rows`);
  const many = await measure("import-process.ts", ROWS.many, nodeImport);
  progress(`importing ${ROWS.few} rows in the built Workers`);
  const fewInWorkers = await measure("worker-process.ts", ROWS.few, workerImport);
  progress(`importing ${ROWS.many} rows in the built Workers`);
  const manyInWorkers = await measure("worker-process.ts", ROWS.many, workerImport);
  return new Map([
    [
      "switchyard",
      {
        rows_per_s: few.rows / (few.importMs / 1_000),
        copy_rows_per_s: few.rows / (few.copyMs / 1_000),
        of_copy: few.copyMs / few.importMs,
        peak_mb: few.peakMb,
        peak_growth: many.peakMb / few.peakMb,
        worker_rows_per_s: few.rows / (fewInWorkers.importMs / 1_000),
        worker_peak_mb: fewInWorkers.peakMb,
        worker_peak_growth: manyInWorkers.peakMb / fewInWorkers.peakMb,
      },
    ],
  ]);
}

/** Runs one import in a process of its own, whose last line says how it went. */
async function measure<Found extends z.ZodType>(
  module: string,
  rows: number,
  found: Found,
): Promise<z.output<Found>> {
  const file = fileURLToPath(new URL(`../imports/${module}`, import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [file, String(rows)]);
  return found.parse(JSON.parse(stdout.trim().split("\n").at(-1) ?? ""));
}
