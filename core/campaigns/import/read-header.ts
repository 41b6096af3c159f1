import { cellText } from "../../tables/cell-text.ts";
import type { Cell } from "../../tables/table.ts";
import { fieldOfName, plainName } from "./column-names.ts";
import { type Field, isMetric } from "./field.ts";
import type { ChannelColumns, SheetLayout } from "./layout.ts";

/** Column names by field, as somebody who knows the file gives them. */
export type Mapping = Partial<Record<Field, string>>;

interface HeaderRow {
  cells: readonly Cell[];
  line: number;
}

/** What a header says; platform and currency are found out by more than it. */
export type HeaderLayout = Omit<SheetLayout, "platform" | "currency">;

/** A layout needs a day, a name and something that is counted. */
const LEAST_FIELDS = 3;

/**
 * The header among the first rows of a sheet, with what each column is; null where none of them is one. Titles above it
 * are passed over; where cells of it are merged downwards over two rows, the upper one's names fill the lower one's gaps.
 */
export function readHeader(rows: readonly HeaderRow[], mapping: Mapping): HeaderLayout | null {
  let best: { layout: HeaderLayout; score: number } | null = null;
  for (const [index, row] of rows.entries()) {
    const above = rows[index - 1];
    const readings = [namesOf(row.cells)];
    if (above && hasGaps(row.cells, above.cells)) readings.push(merged(row.cells, above.cells));
    for (const names of readings) {
      const layout = layoutOf(names, row.line, mapping);
      const score = Object.keys(layout.columns).length + layout.channels.length;
      if (isUsable(layout) && (best === null || score > best.score)) best = { layout, score };
    }
  }
  return best?.layout ?? null;
}

/** What a sheet must have, in words, for somebody whose file has it not. */
export const NEEDED =
  "a day, a campaign (or platform), and at least one of impressions, clicks, spend, conversions, revenue";

const namesOf = (cells: readonly Cell[]): string[] =>
  cells.map((cell) => (typeof cell === "string" ? cell.trim() : cellText(cell)));

function hasGaps(lower: readonly Cell[], upper: readonly Cell[]): boolean {
  return upper.some((cell, index) => cell !== "" && (lower[index] ?? "") === "");
}

function merged(lower: readonly Cell[], upper: readonly Cell[]): string[] {
  const [below, above] = [namesOf(lower), namesOf(upper)];
  return Array.from({ length: Math.max(below.length, above.length) }, (_, index) =>
    (below[index] ?? "") === "" ? (above[index] ?? "") : (below[index] ?? ""),
  );
}

function isUsable({ columns, channels }: HeaderLayout): boolean {
  const fields = Object.keys(columns) as Field[]; // Object.keys forgets the keys' type
  if (columns.day === undefined) return false;
  if (channels.length > 0) return true;
  return fields.length >= LEAST_FIELDS && fields.some(isMetric) && namesSomething(columns);
}

const namesSomething = ({ campaign, campaign_id: id, platform }: SheetLayout["columns"]) =>
  campaign !== undefined || id !== undefined || platform !== undefined;

function layoutOf(names: string[], headerLine: number, mapping: Mapping): HeaderLayout {
  const columns: SheetLayout["columns"] = {};
  const ranks = new Map<Field, number>();
  for (const [index, name] of names.entries()) {
    const found = fieldOfName(name);
    if (found === null || found.rank >= (ranks.get(found.field) ?? Infinity)) continue;
    columns[found.field] = index;
    ranks.set(found.field, found.rank);
  }
  for (const [field, name] of Object.entries(mapping)) {
    const index = names.findIndex(
      (known) => known === name.trim() || plainName(known) === plainName(name),
    );
    for (const [other, at] of Object.entries(columns)) {
      if (at === index) delete columns[other as Field]; // Object.entries forgets the keys' type
    }
    if (index >= 0) columns[field as Field] = index;
    else delete columns[field as Field];
  }
  // The whole cost in one column is as good as in another, and may not count twice.
  if (columns.spend !== undefined) delete columns.spend_micros;
  const channels = namesSomething(columns) ? [] : channelsOf(names);
  return { headerLine, names, columns, channels };
}

const CHANNEL_COLUMN = /^(.+) (spend|cost|s|impressions?|i|clicks?|clicks? p|p)$/;

/** Channels of a sheet that has a column for what each costs. */
function channelsOf(names: readonly string[]): ChannelColumns[] {
  const channels = new Map<string, ChannelColumns>();
  for (const [index, name] of names.entries()) {
    const [, channel = "", what = ""] = CHANNEL_COLUMN.exec(plainName(name)) ?? [];
    if (channel === "") continue;
    const known = channels.get(channel) ?? {
      name: channel,
      impressions: null,
      clicks: null,
      spend: null,
    };
    if (what === "s" || what === "spend" || what === "cost") known.spend ??= index;
    else if (what.startsWith("i")) known.impressions ??= index;
    else known.clicks ??= index;
    channels.set(channel, known);
  }
  return [...channels.values()].filter(({ spend }) => spend !== null);
}
