import type { CombinedSources } from "./combine-sources.ts";
import { elementName } from "./element-names.ts";
import { ELEMENT } from "./maker-file.ts";
import type { OfflineReading } from "./read-offline.ts";
import type { VinPosition } from "./vin-report.ts";

/** What the explanation is made of. */
type Explained = Pick<OfflineReading, "vin" | "checkDigit" | "years"> &
  Pick<CombinedSources, "values"> & {
    maker: string | null;
    country: string | null;
    year: number | null;
  };

const UNEXPLAINED = "The maker's description of the vehicle; nothing is known of it";
const PLANT: ReadonlySet<number> = new Set([
  ELEMENT.plantCity,
  ELEMENT.plantState,
  ELEMENT.plantCountry,
]);

/** What each position stands for, from the first to the last without a gap. */
export function explainPositions(
  { vin, checkDigit, years, country }: OfflineReading,
  combined: CombinedSources,
): VinPosition[] {
  const { values, manufacturer, make, year } = combined;
  const named = manufacturer?.value ?? make?.value ?? null;
  const of = { vin, checkDigit, years, country, values, maker: named, year: year?.value ?? null };
  const row = (from: number, to: number, means: string): VinPosition => ({
    from,
    to,
    chars: of.vin.slice(from - 1, to),
    means,
  });
  const isSmall = of.vin.charAt(2) === "9";
  const maker = [of.maker ?? "A maker that is not known", of.country].filter(Boolean).join(", ");
  return [
    row(1, 3, `Maker: ${maker}${isSmall ? " (one of few vehicles, with positions 12 to 14)" : ""}`),
    ...descriptorRows(of).map(({ from, to, means }) => row(from, to, means)),
    row(9, 9, checkDigitMeans(of)),
    row(10, 10, yearMeans(of)),
    row(11, 11, plantMeans(of)),
    ...(isSmall
      ? [row(12, 14, "Maker: the second half of its code"), row(15, 17, "Serial number")]
      : [row(12, 17, `Serial number${serialMeans(of)}`)]),
  ];
}

/** Positions 4 to 8; neighbours that say the same together are one row. */
function descriptorRows(of: Explained): { from: number; to: number; means: string }[] {
  const rows: { from: number; to: number; means: string }[] = [];
  for (let position = 4; position <= 8; position++) {
    const means = valuesAt(of, position).join(", ") || UNEXPLAINED;
    const last = rows.at(-1);
    if (last?.means === means) last.to = position;
    else rows.push({ from: position, to: position, means });
  }
  return rows;
}

function valuesAt({ values }: Explained, position: number): string[] {
  return [...values].flatMap(([element, { text, positions }]) => {
    const name = elementName(element);
    return name !== null && positions & (1 << (position - 1)) && !PLANT.has(element)
      ? [`${name}: ${text}`]
      : [];
  });
}

function checkDigitMeans({ vin, checkDigit: { expected, right, required } }: Explained): string {
  if (right) return "Check digit, right";
  return required
    ? `Check digit, wrong: ${expected} would be right`
    : `No check digit: ${vin.charAt(8)} is not ${expected}, which is no fault outside North America`;
}

function yearMeans({ years, year }: Explained): string {
  const others = years.filter((one) => one !== year);
  if (year !== null)
    return `Model year ${year}${others.length > 0 ? ` (the same code stands for ${others.join(", ")} too)` : ""}`;
  if (years.length === 0) return "No model year: the code stands for none";
  return `Model year ${years.join(" or ")}, where the maker uses this position for it`;
}

function plantMeans({ values }: Explained): string {
  const names = [ELEMENT.plantCity, ELEMENT.plantState, ELEMENT.plantCountry].flatMap((element) => {
    const value = values.get(element);
    return value ? [value.text] : [];
  });
  return names.length > 0 ? `Plant: ${names.join(", ")}` : "Plant, by the maker's own code";
}

function serialMeans(of: Explained): string {
  const found = new Set([12, 13, 14, 15, 16, 17].flatMap((position) => valuesAt(of, position)));
  return found.size > 0 ? `, which also says ${[...found].join(", ")}` : "";
}
