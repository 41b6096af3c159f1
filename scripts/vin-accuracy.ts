// `npm run vin:accuracy`: how many of the known VINs the offline data reads right, and every row that differs. With
// `--corgi` the package's own decoder reads them too, from the same data and judged by the same rule.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import {
  compare,
  type Compared,
  decode,
  isRight,
  KNOWN_LISTS,
  readKnownVins,
} from "#test/vin/known-vins.ts";
import { openCorgi } from "#test/vin/corgi-decoder.ts";

const name = ({
  make,
  model,
  year,
}: {
  make: string | null;
  model: string | null;
  year: number | null;
}) => [make, model, year].map((part) => part ?? "?").join(" ");

function print(title: string, rows: Compared[]): void {
  const right = rows.filter(isRight);
  const same = right.filter(({ model }) => model === "same");
  const high = rows.filter(({ report }) => report.confidence === "high");
  const falseHigh = high.filter(({ makeIsRight, yearIsRight }) => !makeIsRight || !yearIsRight);
  console.log(
    `${title}: ${right.length} of ${rows.length} right, ${same.length} of them with the very same name of the model` +
      (high.length > 0
        ? `; ${high.length} with confidence high, ${falseHigh.length} of these with a wrong make or year`
        : ""),
  );
  for (const row of rows) {
    if (row.makeIsRight && row.yearIsRight && row.model === "same") continue;
    const kind = isRight(row) ? "named otherwise" : "MISS           ";
    const { series, trim, confidence } = row.report;
    const more = [series, trim].filter(Boolean).join(", ");
    console.log(
      `  ${kind} ${row.known.vin}  known ${name(row.known)}, read ${name(row.report)}${more === "" ? "" : ` (${more})`}${confidence ? ` [${confidence}]` : ""}`,
    );
  }
}

execFileSync(process.execPath, [fileURLToPath(new URL("build-assets.mjs", import.meta.url))]); // cuts the data where that is not done
const corgi = process.argv.includes("--corgi") ? await openCorgi() : null;
for (const list of KNOWN_LISTS) {
  const known = await readKnownVins(list);
  const rows = await Promise.all(known.map(async (row) => compare(row, await decode(row.vin))));
  print(list, rows);
  if (!corgi) continue;
  const theirs: Compared[] = [];
  for (const row of known) theirs.push(compare(row, await corgi(row.vin)));
  print(`${list}, by corgi`, theirs);
}
