import { BoundedMap } from "../../kernel/bounded-map.ts";
import type { JobProgram, JobRun, Json } from "../../jobs/job-type.ts";
import { cellText } from "../../tables/cell-text.ts";
import { fileSource } from "../../tables/file-source.ts";
import type { Table, TableBatch, TablePosition } from "../../tables/table.ts";
import { type Upload, uploadKey } from "../../uploads/upload.ts";
import {
  openUploadedTable,
  orFailure,
  rowsExpected,
  uploadOfJob,
} from "../../uploads/uploaded-table.ts";
import { normaliseVin } from "../vin.ts";
import { decodeVinFile, type VinFileInput, type VinFileResult } from "./decode-vin-file-type.ts";
import { type FilePlan, planFile } from "./file-plan.ts";
import { type Piece, pieceKey, readPieces } from "./pieces.ts";
import { problemRow, VIN_COLUMNS, type VinRow } from "./vin-columns.ts";
import { MOST_AT_ONCE } from "./vin-reader.ts";
import { writeCsv } from "./write-csv.ts";
import { writeXlsx } from "./write-xlsx.ts";

/** Text of one chunk: about a thousand rows, which are read in some seconds. */
const CHUNK_BYTES = 65_536;
/** VINs that are remembered, so that one that comes again is not read again. */
const REMEMBERED = 5_000;
/** No VIN is longer, however it is spaced; what is longer is told as it begins. */
const LONGEST = 100;

/** How far a file is, after each chunk. */
type FileState = {
  /** Null is the beginning. */
  position: TablePosition | null;
  pieces: number;
  rows: number;
  vins: number;
  known: number;
  wrong: number;
  empty: number;
};

const BEGIN: FileState = {
  position: null,
  pieces: 0,
  rows: 0,
  vins: 0,
  known: 0,
  wrong: 0,
  empty: 0,
};

type Job = JobRun<VinFileInput>;

/** What the job type `decode_vin_file` does. */
export const decodeVinFileProgram: JobProgram<VinFileInput, VinFileResult> = {
  type: decodeVinFile,
  version: 1,
  run: runVinFile,
};

async function runVinFile(job: Job): Promise<VinFileResult> {
  const { step } = job;
  const upload = await uploadOfJob(job.context, job.input.upload_id);
  const open = () => orFailure(() => openUpload(job, upload));
  const plan = (await step.run("look", () => makePlan(job, open))) as FilePlan; // as the step kept it
  const last = await step.chunks<Json, Chunk>("rows", {
    start: BEGIN as unknown as Json, // JSON by its shape
    open: (state) => readRows(job, { open, plan, from: stateOf(state) }),
    commit: (_context, { after }) => {
      job.progress(after.rows, rowsExpected(after, upload), `${after.rows} rows read`);
      return Promise.resolve(after as unknown as Json);
    },
  });
  const state = stateOf(last);
  const saved = await step.run("file", () => saveFile(job, { upload, open, plan, state }));
  await step.run("tidy", () => deletePieces(job, state.pieces));
  const { rows, vins, known, wrong, empty } = state;
  return { rows, vins, known, wrong, empty, ...saved };
}

const stateOf = (json: Json) => json as unknown as FileState; // as commit gave it

const openUpload = ({ ports, input }: Job, upload: Upload): Promise<Table> =>
  openUploadedTable(ports.files, upload, { sheet: input.sheet || null, batchBytes: CHUNK_BYTES });

async function makePlan(job: Job, open: () => Promise<Table>): Promise<FilePlan> {
  const table = await open();
  const plan = await orFailure(() => planFile(table, job.input.vin_column ?? null));
  for (const [sheet, { column, headerLine }] of Object.entries(plan.sheets)) {
    const where = sheet === "" ? "The VINs" : `${sheet}: the VINs`;
    const header =
      headerLine === null ? "there is no header" : `its header is in line ${headerLine}`;
    job.log(`${where} are in column ${column + 1}; ${header}`);
  }
  return plan;
}

interface Chunk {
  after: FileState;
}

/** Reads chunk by chunk. What a chunk found out is stored before it is committed; stored twice it is the same. */
async function* readRows(
  job: Job,
  { open, plan, from }: { open: () => Promise<Table>; plan: FilePlan; from: FileState },
): AsyncGenerator<Chunk, void, undefined> {
  const table = await open();
  const known = new BoundedMap<string, VinRow>(REMEMBERED);
  const batches = table.batches(from.position ?? undefined);
  let state = from;
  for (;;) {
    const { done, value: batch } = await orFailure(() => batches.next());
    if (done === true) return;
    job.signal.throwIfAborted();
    const texts = vinsOf(batch, plan);
    await readInto(job, known, texts);
    const { piece, counts } = pieceOf(batch, texts, known);
    const number = state.pieces + 1;
    await job.ports.files.put(pieceKey(job, number), JSON.stringify(piece satisfies Piece), {
      contentType: "application/json",
    });
    state = {
      position: batch.position,
      pieces: number,
      rows: state.rows + counts.rows,
      vins: state.vins + counts.vins,
      known: state.known + counts.known,
      wrong: state.wrong + counts.wrong,
      empty: state.empty + counts.empty,
    };
    yield { after: state };
  }
}

/** What stands in the column of the VINs; null for headers and what is above them, and for sheets without VINs. */
function vinsOf({ rows, lines, sheet }: TableBatch, plan: FilePlan): (string | null)[] {
  const place = plan.sheets[sheet ?? ""];
  if (!place) return rows.map(() => null);
  return rows.map((row, at) =>
    place.headerLine !== null && (lines[at] ?? 0) <= place.headerLine
      ? null
      : cellText(row[place.column]).trim().slice(0, LONGEST),
  );
}

/** Reads those that are not known yet, each once however it is spelled. */
async function readInto(
  job: Job,
  known: BoundedMap<string, VinRow>,
  texts: readonly (string | null)[],
): Promise<void> {
  const open = new Map<string, string>();
  for (const text of texts) {
    if (text === null || text === "") continue;
    const key = normaliseVin(text);
    if (known.get(key) === undefined) open.set(key, text);
  }
  const waiting = [...open];
  for (let at = 0; at < waiting.length; at += MOST_AT_ONCE) {
    job.signal.throwIfAborted();
    const some = waiting.slice(at, at + MOST_AT_ONCE);
    const rows = await job.ports.vins.readRows(some.map(([, text]) => text));
    for (const [index, [key]] of some.entries())
      known.set(key, rows[index] ?? problemRow("Not read"));
  }
}

const VALID = VIN_COLUMNS.indexOf("vin_valid");
const MAKE = VIN_COLUMNS.indexOf("vin_make");
const MODEL = VIN_COLUMNS.indexOf("vin_model");

/** What is added to each row, in the order of the file; a line that is no row is told by its reason. */
function pieceOf(
  batch: TableBatch,
  texts: readonly (string | null)[],
  known: BoundedMap<string, VinRow>,
) {
  const counts = { rows: 0, vins: 0, known: 0, wrong: 0, empty: 0 };
  const rows = texts.map((text): VinRow | null => {
    if (text === null) return null;
    counts.rows++;
    if (text === "") {
      counts.empty++;
      return problemRow("There is no VIN in this row.");
    }
    const row = known.get(normaliseVin(text)) ?? problemRow("Not read");
    if (row[VALID] === "yes") counts.vins++;
    else counts.wrong++;
    if (row[MAKE] !== "" && row[MODEL] !== "") counts.known++;
    return row;
  });
  return { piece: { rows }, counts };
}

interface Finished {
  upload: Upload;
  open: () => Promise<Table>;
  plan: FilePlan;
  state: FileState;
}

async function saveFile(job: Job, { upload, open, plan, state }: Finished) {
  const added = readPieces(job.ports.files, job, state.pieces);
  const source = await fileSource(job.ports.files, uploadKey(upload));
  const table = await open();
  const name = resultName(upload.name, plan.format);
  const file =
    plan.format === "csv"
      ? await writeCsv({ table, source, plan, added, position: state.position })
      : await writeXlsx({ table, source, plan, added });
  const { url } = await job.saveResult({ name, ...file });
  return { file: name, url };
}

/** `cars.csv` becomes `cars-decoded.csv`; nothing of it but letters, digits and a few signs is kept. */
function resultName(name: string, format: "csv" | "xlsx"): string {
  const base = name
    .replace(/\.[^.]*$/, "")
    .replaceAll(/[^\p{L}\p{N} _.-]+/gu, "_")
    .slice(0, 80)
    .trim();
  return `${base || "vins"}-decoded.${format}`;
}

async function deletePieces(job: Job, count: number): Promise<void> {
  const keys = Array.from({ length: count }, (_, at) => pieceKey(job, at + 1));
  for (let at = 0; at < keys.length; at += 1_000)
    await job.ports.files.delete(keys.slice(at, at + 1_000));
}
