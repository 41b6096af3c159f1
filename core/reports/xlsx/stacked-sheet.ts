import type { Passage, Table } from "../report.ts";
import type { Sheet } from "./sheet.ts";
import { SheetWriter, TEXT_COLUMNS } from "./sheet-writer.ts";
import type { Styles } from "./styles.ts";
import { columnWidths } from "./table-sheet.ts";

/** A heading with sentences, and a table below them where there is one. */
export interface SheetPart extends Passage {
  table?: Table;
}

/** Parts below each other. */
export function stackedSheet(name: string, parts: readonly SheetPart[], styles: Styles): Sheet {
  const writer = new SheetWriter(styles);
  const widths: number[] = [...TEXT_COLUMNS];
  for (const { title, sentences, table } of parts) {
    writer.heading(title);
    for (const sentence of sentences) writer.paragraph(sentence, "wrapped");
    if (table === undefined || table.rows.length === 0) continue;
    writer.table(table);
    for (const [index, width] of columnWidths(table).entries())
      widths[index] = Math.max(widths[index] ?? 0, width);
  }
  const { rows, merged } = writer;
  return { name, rows, widths, frozenRows: 0, filter: null, merged, charts: [] };
}
