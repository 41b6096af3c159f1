// A process of its own, so that its peak of memory is that of reading one file. It is bundled first, as the
// Workers are: Node takes 150 MiB to strip types and to load packages whole. Prints one line of JSON.
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { Readable } from "node:stream";
import type { ByteSource } from "../../core/tables/byte-source.ts";
import { peakMemoryMb } from "../process-memory.ts";
import type { ReadFound } from "./read-found.ts";

const [reader, file = ""] = process.argv.slice(2);
const found = reader === "exceljs" ? await readWhole() : await readStreaming();
const peakMb = await peakMemoryMb();
console.log(JSON.stringify({ ...found, peakMb } satisfies ReadFound));

type Found = Omit<ReadFound, "peakMb">;

/** As jobs read it: batch after batch, from a store that gives ranges. */
async function readStreaming(): Promise<Found> {
  const { openTable } = await import("../../core/tables/table.ts");
  const { size } = await stat(file);
  const begun = performance.now();
  const found = { rows: 0, cells: 0, sum: 0 };
  const table = await openTable(fileOnDisk(size));
  for await (const batch of table.batches()) for (const row of batch.rows) add(found, row);
  return { ...found, ms: performance.now() - begun };
}

/** As exceljs is used by most: the whole workbook in memory, then its rows. */
async function readWhole(): Promise<Found> {
  const { default: ExcelJs } = await import("exceljs");
  const begun = performance.now();
  const workbook = new ExcelJs.Workbook();
  await workbook.xlsx.readFile(file);
  const ms = performance.now() - begun;
  const found = { rows: 0, cells: 0, sum: 0 };
  // exceljs counts columns from 1, so the first place of each row is empty.
  workbook.worksheets[0]?.eachRow(({ values }) => add(found, Object.values(values)));
  return { ...found, ms };
}

/** Both must have read the same: what each cell says goes into the sum. */
function add(found: { rows: number; cells: number; sum: number }, row: readonly unknown[]): void {
  found.rows += 1;
  for (const cell of row) {
    if (cell === undefined || cell === null || cell === "") continue;
    found.cells += 1;
    if (typeof cell === "number") found.sum += Math.round(cell * 100);
    else if (cell instanceof Date) found.sum += cell.getTime() / 86_400_000;
    else if (typeof cell === "string") found.sum += cell.length;
  }
}

function fileOnDisk(size: number): ByteSource {
  return {
    size,
    stream: async (from, to = size) => {
      const bytes = createReadStream(file, { start: from, end: to - 1, highWaterMark: 262_144 });
      return Readable.toWeb(bytes) as ReadableStream<Uint8Array>; // node's type and the platform's differ
    },
  };
}
