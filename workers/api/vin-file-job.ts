import { csvLine } from "#core/kernel/csv.ts";
import { validationError } from "#core/kernel/validation-error.ts";
import { receiveUpload } from "#core/uploads/receive-upload.ts";
import { decodeVinFile, vinFileOptions } from "#core/vin/files/decode-vin-file-type.ts";
import { LONGEST_VIN_TEXT } from "#core/vin/read-vin.ts";
import type { AppContext } from "./app-types.ts";
import { type FileJobAnswer, makeJobOfFile } from "./file-job.ts";
import { z } from "./openapi.ts";
import { receiveFile } from "./receive-file.ts";

/** The most VINs that a list may have; a file has no such bound. */
const MOST_LISTED = 100_000;

/** A list that is too long to be answered at once. */
export const vinList = z.strictObject({
  vins: z.array(z.string().max(LONGEST_VIN_TEXT)).max(MOST_LISTED),
});

/** Makes a job of the file that the request brings. */
export async function readVinFile(c: AppContext): Promise<FileJobAnswer> {
  const received = await receiveFile(c);
  const optionsOf = () => {
    const parsed = vinFileOptions.safeParse(received.fields);
    if (!parsed.success) throw validationError(parsed.error);
    return parsed.data;
  };
  return makeJobOfFile(c, received, { type: decodeVinFile, optionsOf });
}

/** Makes a job of a long list: its result is a CSV file with a line for each. */
export async function readVinList(c: AppContext, vins: readonly string[]): Promise<FileJobAnswer> {
  const bytes = new TextEncoder().encode(
    csvLine(["vin"]) + vins.map((vin) => csvLine([vin])).join(""),
  );
  const body = { stream: new Blob([bytes]).stream(), length: bytes.length };
  const stored = await receiveUpload(c.get("context"), c.get("deps"), {
    name: "vins.csv",
    contentType: "text/csv",
    body,
  });
  const optionsOf = (): z.output<typeof vinFileOptions> => ({ vin_column: "vin", sheet: null });
  return makeJobOfFile(c, { ...stored, fields: {} }, { type: decodeVinFile, optionsOf });
}
