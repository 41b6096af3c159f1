import { createWriteStream } from "node:fs";
import { once } from "node:events";

/** A row of the bench's file, of 12 campaigns, 366 days and many ad groups: 88 bytes as CSV. */
export function rowOf(index: number) {
  const day = new Date(Date.UTC(2024, 0, 1) + 86_400_000 * (index % 366))
    .toISOString()
    .slice(0, 10);
  return {
    day,
    campaign: `Campaign ${index % 12} Search Brand EU`,
    adGroup: `Ad group ${Math.floor(index / 366)} exact match`,
    impressions: 10_000 + ((index * 7) % 90_000),
    clicks: index % 900,
    cents: index % 10_000,
    conversions: index % 30,
    revenueCents: index % 77_777,
  };
}

/** Writes lines to a file, as many as there are numbers. */
export async function writeLines(
  path: string,
  header: string,
  rows: number,
  lineOf: (row: ReturnType<typeof rowOf>) => string,
): Promise<void> {
  const file = createWriteStream(path);
  let text = header;
  for (let index = 0; index < rows; index += 1) {
    text += lineOf(rowOf(index));
    if (text.length < 1_048_576) continue;
    if (!file.write(text)) await once(file, "drain");
    text = "";
  }
  file.end(text);
  await once(file, "close");
}

/** Writes an export of so many rows, as CSV. */
export async function writeImportFile(path: string, rows: number): Promise<void> {
  await writeLines(
    path,
    "Day,Campaign,Ad group,Impressions,Clicks,Cost,Conversions,Conv. value\n",
    rows,
    (row) =>
      `${row.day},${row.campaign},${row.adGroup},${row.impressions},${row.clicks},${row.cents / 100},${row.conversions},${row.revenueCents / 100}\n`,
  );
}
