import { AppError } from "../../kernel/errors.ts";
import type { Table, TableBatch } from "../../tables/table.ts";
import { findVinColumn, type VinColumn } from "./find-vin-column.ts";

/** What is known of a file before its rows are read; kept by the job. */
export type FilePlan = {
  format: "csv" | "xlsx";
  /** Where the VINs of each sheet are; the sheet of a CSV file is `""`. A sheet without VINs is not here. */
  sheets: { [name: string]: { column: number; headerLine: number | null; width: number } };
};

/** Rows of each sheet that are looked at. */
const LOOKED_AT = 500;

/**
 * Looks where the VINs of a table are.
 * @throws AppError `validation_failed` where there are none
 */
export async function planFile(table: Table, wanted: string | null): Promise<FilePlan> {
  const samples = new Map<string, Pick<TableBatch, "rows" | "lines">>();
  for await (const { sheet, rows, lines } of table.batches()) {
    const name = sheet ?? "";
    const sample = samples.get(name) ?? { rows: [], lines: [] };
    samples.set(name, sample);
    const room = LOOKED_AT - sample.rows.length;
    sample.rows.push(...rows.slice(0, Math.max(0, room)));
    sample.lines.push(...lines.slice(0, Math.max(0, room)));
    if (table.format === "csv") break;
  }
  const sheets: FilePlan["sheets"] = {};
  for (const [name, { rows, lines }] of samples) {
    const found: VinColumn | null = findVinColumn(rows, lines, wanted);
    const width = Math.max(0, ...rows.map((row) => row.length));
    if (found !== null) sheets[name] = { ...found, width };
  }
  if (Object.keys(sheets).length > 0) return { format: table.format, sheets };
  throw new AppError("validation_failed", {
    message:
      wanted === null
        ? "No column of the file holds VINs. Name the column VIN, or say which it is by vin_column."
        : `The file has no column “${wanted}”. Give its name as it stands in the header, or its number from 1.`,
  });
}
