import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type * as Esbuild from "esbuild";
import type { PartyName } from "../parties/party.ts";
import { median, type Metrics } from "../rounds.ts";
import { type ReadFound, readFound } from "../tables/read-found.ts";
import { writeWorkbook } from "../tables/write-workbook.ts";
import type { Bench, BenchCase } from "./case.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** The process that reads, as JavaScript; in a folder from which Node finds the packages. */
const PROCESS = path.join(root, "dist/bench/read-process.mjs");
const ROWS = { few: 500_000, many: 1_000_000 } as const;
/** Times that we read each file, each in a new process. */
const RUNS = 3;
/** MiB of heap that exceljs may take, so that it does not spend its time on making room. */
const EXCELJS_HEAP_MB = 12_288;

/** A workbook read as a stream of batches, beside exceljs reading it whole. */
export const tables: BenchCase = {
  name: "tables",
  title: `XLSX of ${ROWS.few.toLocaleString("en")} rows and 12 columns, beside exceljs reading it whole; memory at ${ROWS.many.toLocaleString("en")}`,
  byDefault: false,
  columns: [
    { key: "ms", title: "ms", digits: 0 },
    { key: "exceljs_ms", title: "exceljs ms", digits: 0 },
    { key: "times_exceljs", title: "times as fast", digits: 1 },
    { key: "peak_mb", title: "peak MiB", digits: 0 },
    { key: "exceljs_peak_mb", title: "exceljs peak MiB", digits: 0 },
    { key: "peak_many_mb", title: `peak MiB, ${ROWS.many / ROWS.few} times the rows`, digits: 0 },
    { key: "peak_growth", title: "growth", digits: 2 },
  ],
  run,
};

async function run({ parties, progress }: Bench): Promise<Map<PartyName, Metrics>> {
  if (!parties.some(({ name }) => name === "switchyard")) return new Map();
  const folder = await mkdtemp(path.join(tmpdir(), "switchyard-bench-tables-"));
  try {
    await buildProcess();
    const few = await workbookOf(ROWS.few);
    const ownFew = await readOften(few);
    progress(`exceljs reads ${ROWS.few} rows whole`);
    const exceljs = await read("exceljs", few);
    const { rows, cells, sum } = exceljs;
    assert.deepEqual(
      { rows: ownFew.rows, cells: ownFew.cells, sum: ownFew.sum },
      { rows, cells, sum },
    );
    const ownMany = await readOften(await workbookOf(ROWS.many));
    return new Map([
      [
        "switchyard",
        {
          ms: ownFew.ms,
          exceljs_ms: exceljs.ms,
          times_exceljs: exceljs.ms / ownFew.ms,
          peak_mb: ownFew.peakMb,
          exceljs_peak_mb: exceljs.peakMb,
          peak_many_mb: ownMany.peakMb,
          peak_growth: ownMany.peakMb / ownFew.peakMb,
        },
      ],
    ]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }

  async function workbookOf(rows: number): Promise<string> {
    const file = path.join(folder, `${rows}.xlsx`);
    await writeWorkbook(file, rows);
    const { size } = await stat(file);
    progress(`a workbook of ${rows} rows takes ${(size / 1e6).toFixed(0)} MB; reading it`);
    return file;
  }
}

/** What we find in a file, the same each time, with the median of what it takes. */
async function readOften(file: string): Promise<ReadFound> {
  const all: ReadFound[] = [];
  while (all.length < RUNS) all.push(await read("switchyard", file)); // one at a time is the point
  const [first] = all;
  assert(first);
  return {
    ...first,
    ms: median(all.map(({ ms }) => ms)),
    peakMb: median(all.map(({ peakMb }) => peakMb)),
  };
}

async function read(reader: "exceljs" | "switchyard", file: string): Promise<ReadFound> {
  const heap = reader === "exceljs" ? [`--max-old-space-size=${EXCELJS_HEAP_MB}`] : [];
  const { stdout } = await promisify(execFile)(process.execPath, [...heap, PROCESS, reader, file]);
  return readFound.parse(JSON.parse(stdout.trim().split("\n").at(-1) ?? ""));
}

/** By the esbuild that wrangler brings, which bundles the Workers too. */
async function buildProcess(): Promise<void> {
  const require = createRequire(import.meta.resolve("wrangler"));
  const esbuild = require("esbuild") as typeof Esbuild; // what is required has no type
  await esbuild.build({
    entryPoints: [path.join(root, "bench/tables/read-process.ts")],
    outfile: PROCESS,
    bundle: true,
    external: ["exceljs"],
    platform: "node",
    format: "esm",
  });
}
