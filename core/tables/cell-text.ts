import type { Cell } from "./table.ts";

/** A cell as a person reads it: a day as `2026-11-21`, with its time where it has one; a number in full. */
export function cellText(cell: Cell | undefined): string {
  if (cell === undefined) return "";
  if (typeof cell === "string") return cell;
  if (cell instanceof Date) return dateText(cell);
  if (typeof cell === "number") return numberText(cell);
  return cell ? "TRUE" : "FALSE";
}

function dateText(date: Date): string {
  const iso = date.toISOString();
  return iso.endsWith("T00:00:00.000Z") ? iso.slice(0, 10) : iso.slice(0, 19).replace("T", " ");
}

function numberText(value: number): string {
  // Identifiers of 16 digits and more come as numbers: 1.2e+21 would name another one.
  return Number.isInteger(value) && Math.abs(value) >= 1e21
    ? BigInt(value).toString()
    : String(value);
}

/**
 * A copy of a text that holds on to nothing else. What is cut out of a large text keeps all of it in memory; a text that
 * is put together anew does not.
 */
export function keptText(text: string): string {
  return text.length < 13 ? text : JSON.parse(JSON.stringify(text));
}
