import type { Page, PageRequest } from "#core/kernel/page.ts";
import { type CsvCell, csvLine } from "#core/kernel/csv.ts";
import { AppError } from "#core/kernel/errors.ts";
import type { Logger } from "#core/kernel/log.ts";

export interface CsvTable<Item> {
  /** The file's name without its ending. */
  name: string;
  columns: string[];
  row(item: Item): CsvCell[];
  /** Rows that one read brings. */
  pageSize: number;
  /** Rows of one file at most; a longer one breaks off with an error instead of looking whole. */
  rowLimit: number;
  read(page: PageRequest): Promise<Page<Item>>;
}

/** Whether the caller wants CSV: `?format=` decides, then `Accept`. */
export function wantsCsv(accept: string | undefined, format: "json" | "csv" | undefined): boolean {
  if (format !== undefined) return format === "csv";
  return /(^|,)\s*text\/csv\s*(;|,|$)/i.test(accept ?? "");
}

/** A list as a CSV file: read and sent page by page, from the cursor on to the end. */
export async function csvResponse<Item>(
  log: Logger,
  table: CsvTable<Item>,
  cursor: string | undefined,
): Promise<Response> {
  const encoder = new TextEncoder();
  const encode = (items: Item[]) =>
    encoder.encode(items.map((item) => csvLine(table.row(item))).join(""));
  // The first page is read before the answer begins, so that an error can still be told as one.
  let page: Page<Item> = await table.read({ limit: table.pageSize, cursor });
  let rows = page.items.length;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encoder.encode(csvLine(table.columns)));
      if (page.items.length > 0) controller.enqueue(encode(page.items));
    },
    async pull(controller) {
      if (page.nextCursor === null) return controller.close();
      try {
        if (rows >= table.rowLimit) throw tooLong(table.rowLimit);
        page = await table.read({ limit: table.pageSize, cursor: page.nextCursor });
        rows += page.items.length;
        controller.enqueue(encode(page.items));
      } catch (error) {
        log.error("csv_broken_off", { name: table.name, rows, error });
        controller.error(error); // the connection breaks, so that nobody takes the file for a whole one
      }
    },
  });
  return new Response(body, {
    headers: {
      "content-type": "text/csv; charset=utf-8; header=present",
      "content-disposition": `attachment; filename="${table.name}.csv"`,
      "cache-control": "no-store",
    },
  });
}

function tooLong(rowLimit: number): AppError {
  return new AppError("validation_failed", {
    message: `The file would have more than ${rowLimit} rows. Narrow the range with from and to.`,
  });
}
