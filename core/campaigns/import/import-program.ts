import { sha256Hex } from "../../kernel/digest.ts";
import { JobFailure, type JobProgram, type JobRun, type Json } from "../../jobs/job-type.ts";
import type { Table, TablePosition } from "../../tables/table.ts";
import { type Upload, uploadKey } from "../../uploads/upload.ts";
import {
  openUploadedTable,
  orFailure,
  rowsExpected,
  uploadOfJob,
} from "../../uploads/uploaded-table.ts";
import { rollUpDays } from "../roll-up-days.ts";
import { findRepeatedSheets } from "./compare-sheets.ts";
import { type ConvertedRows, RowConverter } from "./convert-rows.ts";
import { beginImport, finishImport } from "./import-record.ts";
import { importCampaignData, type ImportInput, type ImportResult } from "./import-type.ts";
import { asJson, type FoundPlan, type ImportPlan } from "./layout.ts";
import { lookAtTable } from "./look-at-table.ts";
import { readAhead } from "./read-ahead.ts";
import { rejectedFile } from "./rejected-file.ts";
import { settleLevels } from "./settle-levels.ts";
import { RowStore } from "./store-rows.ts";

/** Text of one chunk: about 20,000 rows, of which a statement is made. */
const CHUNK_BYTES = 2 * 1_048_576;
/** How long one round of summing up may take, in milliseconds. */
const ROLL_UP_MS = 60_000;

/** How far an import is, after each chunk. */
interface ImportState {
  /** Null is the beginning. */
  position: TablePosition | null;
  rows: number;
  rejected: number;
  campaigns: number;
  /** Before the first chunk with rows that were set aside: `"begin"`, or a position; null while there is none. */
  firstRejected: TablePosition | "begin" | null;
}

const BEGIN: ImportState = {
  position: null,
  rows: 0,
  rejected: 0,
  campaigns: 0,
  firstRejected: null,
};

interface Chunk {
  converted: ConvertedRows;
  position: TablePosition;
}

/** What the job type `import_campaign_data` does. */
export const importCampaignDataProgram: JobProgram<ImportInput, ImportResult> = {
  type: importCampaignData,
  version: 2, // each sheet has a platform and a currency of its own
  run: runImport,
};

async function runImport(job: JobRun<ImportInput>): Promise<ImportResult> {
  const { teamId, step } = job;
  const upload = await uploadOfJob(job.context, job.input.upload_id);
  // What the first step keeps is the plan, as it was made there.
  const plan = (await step.run("look", () => makePlan(job, upload))) as unknown as ImportPlan;
  const begun = await step.transaction("begin", (context) =>
    beginImport(context, {
      teamId,
      jobId: job.id,
      uploadId: upload.id,
      contentHash: plan.contentHash,
    }).then((made): Json => ({ ...made })),
  );
  const { number, earlier } = begun as unknown as Awaited<ReturnType<typeof beginImport>>; // as the step kept it
  if (number === null) return earlier;
  const state = await storeAll(job, { upload, plan, importNumber: number });
  await step.run("settle levels", async () => {
    const removed = await settleLevels(job.context, { teamId, importNumber: number });
    if (removed > 0)
      job.log(`${removed} facts of earlier files were replaced by those of this one`);
  });
  const rejectedUrl =
    state.rejected === 0
      ? null
      : await step.run("rejected rows", () => saveRejected(job, { upload, plan, state }));
  await step.run("sum up days", async () => {
    for (let more = true; more;) {
      job.signal.throwIfAborted();
      const deadline = new Date(job.context.now().getTime() + ROLL_UP_MS);
      ({ more } = await rollUpDays(job.context, { teamId, deadline }));
    }
  });
  const result: ImportResult = {
    rows: state.rows,
    accepted: state.rows - state.rejected,
    rejected: state.rejected,
    campaigns: state.campaigns,
    rejected_url: rejectedUrl,
    unchanged: false,
  };
  await step.transaction("finish", (context) => finishImport(context, number, result));
  return result;
}

const openUpload = ({ ports, input }: JobRun<ImportInput>, upload: Upload): Promise<Table> =>
  openUploadedTable(ports.files, upload, { sheet: input.sheet, batchBytes: CHUNK_BYTES });

async function makePlan(job: JobRun<ImportInput>, upload: Upload): Promise<Json> {
  const { upload_id: _, ...options } = job.input;
  const fileHash = await job.ports.files.sha256(uploadKey(upload));
  const plan = await orFailure(async () =>
    lookAtTable(await openUpload(job, upload), {
      fileName: upload.name,
      mapping: options.mapping,
      platform: options.platform,
      currency: options.currency,
      dayOrder: options.day_order,
      decimalMark: options.decimal_mark,
    }),
  );
  await refuseRepeatedSheets(job, upload, plan);
  for (const [sheet, { headerLine, platform, currency }] of Object.entries(plan.sheets)) {
    job.log(
      `${sheet === "" ? "The" : `${sheet}: the`} header is in line ${headerLine}; platform ${platform}, currency ${currency}, days ${plan.order}, decimal mark ${plan.mark}`,
    );
  }
  return asJson({
    ...plan,
    contentHash: await sha256Hex(`${fileHash}\n${JSON.stringify(options)}`),
  });
}

/** Numbers that count twice are worse than none. @throws JobFailure */
async function refuseRepeatedSheets(
  job: JobRun<ImportInput>,
  upload: Upload,
  plan: FoundPlan,
): Promise<void> {
  const names = Object.keys(plan.sheets);
  if (names.length < 2) return;
  const found = await orFailure(async () =>
    findRepeatedSheets(await openUpload(job, upload), plan),
  );
  if (found === null) return;
  const { sheets, campaign, day, levelsDiffer } = found;
  const how = levelsDiffer ? "at different levels of detail" : "with the same numbers";
  throw new JobFailure(
    `The sheets “${sheets[0]}” and “${sheets[1]}” tell the same days of the same campaigns ${how}, such as “${campaign}” on ${day}: read together, they would count twice. Say which one is to be read by \`sheet\`: ${names.map((name) => `“${name}”`).join(", ")}. Nothing was imported.`,
  );
}

interface Importing {
  upload: Upload;
  plan: ImportPlan;
  importNumber: number;
}

async function storeAll(
  job: JobRun<ImportInput>,
  { upload, plan, importNumber }: Importing,
): Promise<ImportState> {
  const table = await orFailure(() => openUpload(job, upload));
  const store = new RowStore({ teamId: job.teamId, importNumber });
  const last = await job.step.chunks<Json, Chunk>("rows", {
    start: stateJson(BEGIN),
    open: (state) => readAhead(convertAll(table, plan, stateOf(state).position)),
    async commit(context, { converted, position }, kept) {
      const state = stateOf(kept);
      const added = await store.store(context, converted);
      const rejected = state.rejected + converted.rejected.length;
      const next: ImportState = {
        position,
        rows: state.rows + converted.rows,
        rejected,
        campaigns: state.campaigns + added,
        firstRejected: state.firstRejected ?? (rejected === 0 ? null : (state.position ?? "begin")),
      };
      job.progress(next.rows, rowsExpected(next, upload), `${next.rows} rows read`);
      return stateJson(next);
    },
  });
  return stateOf(last);
}

async function* convertAll(
  table: Table,
  plan: ImportPlan,
  from: TablePosition | null,
): AsyncGenerator<Chunk, void, undefined> {
  const converter = new RowConverter(plan);
  const batches = table.batches(from ?? undefined);
  for (;;) {
    const { done, value: batch } = await orFailure(() => batches.next());
    if (done === true) return;
    yield { converted: converter.convert(batch), position: batch.position };
  }
}

async function saveRejected(
  job: JobRun<ImportInput>,
  { upload, plan, state }: Omit<Importing, "importNumber"> & { state: ImportState },
): Promise<string> {
  const from =
    state.firstRejected === null || state.firstRejected === "begin"
      ? undefined
      : state.firstRejected;
  const { url } = await job.saveResult({
    name: "rejected.csv",
    contentType: "text/csv; charset=utf-8",
    body: rejectedFile(await openUpload(job, upload), plan, { from, count: state.rejected }),
  });
  return url;
}

// The state is JSON by its shape; interfaces have no index signature that says so.
const stateJson = (state: ImportState): Json => state as unknown as Json;
const stateOf = (json: Json): ImportState => json as unknown as ImportState;
