import { cellText } from "../../tables/cell-text.ts";
import type { Cell } from "../../tables/table.ts";
import { inspectVin } from "../inspect-vin.ts";
import { normaliseVin } from "../vin.ts";

/** Where the VINs of a sheet are. Columns count from 0. */
export interface VinColumn {
  column: number;
  /** The line that names the columns; null where the VINs begin at once. */
  headerLine: number | null;
}

/** Names that people give the column, in small letters, with one space between words. */
const NAMES =
  /^(vin( ?(no|nr|number|code|#))?|vehicle (vin|identification( (no|number))?|id( number)?)|fin|fahrgestell(nummer|nr)?|fahrzeug ?ident(ifizierungs)?(nummer|nr)?|chassis( ?(no|nr|number))?|frame (no|number)|numero de chasis|vin номер|шасси|شماره شاسی|شماره شناسایی( خودرو)?|شاسی|وین)$/;

/** Of the cells below the header, the share that must be VINs where the name of the column says nothing. */
const ENOUGH = 0.5;

/**
 * Finds the column of the VINs by its name and by what stands in it.
 * @param lines where each row begins
 * @param wanted a name, or a number from 1, that somebody gave; it wins
 * @returns null where there is none
 */
export function findVinColumn(
  rows: readonly (readonly Cell[])[],
  lines: readonly number[],
  wanted: string | null,
): VinColumn | null {
  const width = Math.max(0, ...rows.map((row) => row.length));
  const found = Array.from({ length: width }, (_, column) => judge(rows, lines, column, wanted));
  const candidates = found.filter((one) => one !== null);
  const [best] = candidates.toSorted((one, other) => other.score - one.score);
  return best ? { column: best.column, headerLine: best.headerLine } : null;
}

function judge(
  rows: readonly (readonly Cell[])[],
  lines: readonly number[],
  column: number,
  wanted: string | null,
): (VinColumn & { score: number }) | null {
  const texts = rows.map((row) => cellText(row[column]).trim());
  const firstVin = texts.findIndex(isVin);
  const named = texts.findIndex((text) => isNamed(text, wanted));
  const header =
    named >= 0 && (firstVin < 0 || named < firstVin) ? named : headerAbove(texts, firstVin);
  const below = texts.slice(header + 1).filter((text) => text !== "");
  const share = below.length === 0 ? 0 : below.filter(isVin).length / below.length;
  const byNumber = wanted !== null && wanted === String(column + 1);
  const isWanted = wanted !== null && (byNumber || named >= 0);
  if (wanted !== null && !isWanted) return null;
  if (!isWanted && named < 0 && share < ENOUGH) return null;
  const headerLine = header < 0 ? null : (lines[header] ?? null);
  return { column, headerLine, score: share + (named >= 0 ? 1 : 0) };
}

/** The last text above the first VIN, if any. */
function headerAbove(texts: readonly string[], firstVin: number): number {
  for (let at = firstVin - 1; at >= 0; at--) if (texts[at] !== "") return at;
  return -1;
}

function isNamed(text: string, wanted: string | null): boolean {
  const name = text
    .toLowerCase()
    .replaceAll(/[\s_.\-\u200c]+/gu, " ")
    .trim();
  if (wanted === null) return NAMES.test(name);
  return text.trim().toLowerCase() === wanted.trim().toLowerCase();
}

/** A VIN, or what was meant to be one: of the right length, with letters and digits. */
function isVin(text: string): boolean {
  if (text.length < 15 || text.length > 40) return false;
  if (inspectVin(text).valid) return /\d/.test(text) && /[a-z]/i.test(text);
  const plain = normaliseVin(text);
  return /^[0-9A-Z]{17}$/.test(plain) && /\d{3}/.test(plain) && /[A-Z]/.test(plain);
}
