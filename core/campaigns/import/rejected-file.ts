import { csvLine } from "../../kernel/csv.ts";
import { cellText } from "../../tables/cell-text.ts";
import type { Table, TablePosition } from "../../tables/table.ts";
import { RowConverter } from "./convert-rows.ts";
import type { ImportPlan } from "./layout.ts";

/** Lines that are put together before they are given on. */
const LINES_PER_CHUNK = 1_000;

/**
 * The rows that were set aside, as a CSV file that spreadsheets show right: line, sheet where there are several, reason,
 * and the cells. They are found anew, by the same reading, which is exact and keeps nothing anywhere.
 * @param from before the first of them
 * @param count how many there are; the file is read no further than to the last one
 */
export function rejectedFile(
  table: Table,
  plan: ImportPlan,
  { from, count }: { from: TablePosition | undefined; count: number },
): ReadableStream<Uint8Array> {
  const lines = rejectedLines(table, plan, { from, count });
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await lines.next();
      if (done === true) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    async cancel() {
      await lines.return();
    },
  });
}

async function* rejectedLines(
  table: Table,
  plan: ImportPlan,
  { from, count }: { from: TablePosition | undefined; count: number },
): AsyncGenerator<string, void, undefined> {
  const severalSheets = Object.keys(plan.sheets).length > 1;
  const names = Object.values(plan.sheets)[0]?.names ?? [];
  const place = severalSheets ? ["sheet", "line"] : ["line"];
  const converter = new RowConverter(plan);
  let text = `\ufeff${csvLine([...place, "reason", ...names])}`;
  let left = count;
  let gathered = 0;
  for await (const batch of table.batches(from)) {
    for (const { line, reason, cells } of converter.convert(batch).rejected) {
      const where = severalSheets ? [batch.sheet ?? "", line] : [line];
      text += csvLine([...where, reason, ...cells.map(cellText)]);
      left -= 1;
      gathered += 1;
      if (gathered < LINES_PER_CHUNK) continue;
      yield text;
      [text, gathered] = ["", 0];
    }
    if (left <= 0) break;
  }
  if (text !== "") yield text;
}
