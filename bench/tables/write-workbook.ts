import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { writeXlsxStream } from "hucre/xlsx";

const HEADER = [
  "Day",
  "Platform",
  "Country",
  "Currency",
  "Campaign",
  "Ad group",
  "Impressions",
  "Clicks",
  "Cost",
  "Conversions",
  "Conv. value",
  "Position",
];

/** Writes a sheet of these many rows and 12 columns below its header, with the texts beside the sheet as Excel keeps them. */
export async function writeWorkbook(file: string, rows: number): Promise<void> {
  const workbook = writeXlsxStream(rowsOf(rows), { name: "Data", inlineStrings: false });
  // node's type and the platform's differ
  const bytes = Readable.fromWeb(workbook as Parameters<typeof Readable.fromWeb>[0]);
  await pipeline(bytes, createWriteStream(file));
}

/** The texts are of a bounded number, as those of an account are, however many days its export has. */
function* rowsOf(rows: number): Generator<(string | number | Date)[]> {
  yield HEADER;
  for (let index = 0; index < rows; index += 1)
    yield [
      new Date(Date.UTC(2024, 0, 1) + 86_400_000 * (index % 366)),
      ["Google Ads", "Meta", "TikTok", "LinkedIn"][index % 4] ?? "",
      ["DE", "FR", "ES", "IR", "US"][index % 5] ?? "",
      "EUR",
      `Campaign ${index % 120} Search Brand EU`,
      `Ad group ${index % 5_000} exact match`,
      10_000 + ((index * 7) % 90_000),
      index % 900,
      (index % 10_000) / 100,
      index % 30,
      (index % 77_777) / 100,
      1 + (index % 40) / 10,
    ];
}
