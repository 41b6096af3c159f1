import type { Page, PageRequest } from "#core/kernel/page.ts";
import { type CsvCell, csvLine } from "#core/kernel/csv.ts";
import { AppError } from "#core/kernel/errors.ts";
import type { Logger } from "#core/kernel/log.ts";

/** A list that goes out as a file. */
interface ListFile<Item> {
  /** The file's name without its ending. */
  name: string;
  /** Rows that one read brings. */
  pageSize: number;
  /** Rows of one file at most; a longer one breaks off with an error instead of looking whole. */
  rowLimit: number;
  read(page: PageRequest): Promise<Page<Item>>;
}

export interface CsvTable<Item> extends ListFile<Item> {
  columns: string[];
  row(item: Item): CsvCell[];
}

export interface JsonLines<Item> extends ListFile<Item> {
  encode(item: Item): unknown;
}

/** Whether the caller wants CSV: `?format=` decides, then `Accept`. */
export function wantsCsv(accept: string | undefined, format: "json" | "csv" | undefined): boolean {
  if (format !== undefined) return format === "csv";
  return /(^|,)\s*text\/csv\s*(;|,|$)/i.test(accept ?? "");
}

/** A list as a CSV file: read and sent page by page, from the cursor on to the end. */
export function csvResponse<Item>(
  log: Logger,
  table: CsvTable<Item>,
  cursor: string | undefined,
): Promise<Response> {
  const shape = {
    ending: "csv",
    contentType: "text/csv; charset=utf-8; header=present",
    head: csvLine(table.columns),
    line: (item: Item) => csvLine(table.row(item)),
  };
  return fileResponse(log, { ...table, ...shape }, cursor);
}

/** The same with an object of JSON on each line. */
export function jsonLinesResponse<Item>(
  log: Logger,
  list: JsonLines<Item>,
  cursor: string | undefined,
): Promise<Response> {
  const shape = {
    ending: "jsonl",
    contentType: "application/jsonl",
    head: "",
    line: (item: Item) => `${JSON.stringify(list.encode(item))}\n`,
  };
  return fileResponse(log, { ...list, ...shape }, cursor);
}

interface WrittenFile<Item> extends ListFile<Item> {
  ending: string;
  contentType: string;
  /** What stands before the first line. */
  head: string;
  line(item: Item): string;
}

async function fileResponse<Item>(
  log: Logger,
  file: WrittenFile<Item>,
  cursor: string | undefined,
): Promise<Response> {
  const encoder = new TextEncoder();
  const encode = (items: Item[]) => encoder.encode(items.map((item) => file.line(item)).join(""));
  // The first page is read before the answer begins, so that an error can still be told as one.
  let page: Page<Item> = await file.read({ limit: file.pageSize, cursor });
  let rows = page.items.length;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      if (file.head !== "") controller.enqueue(encoder.encode(file.head));
      if (page.items.length > 0) controller.enqueue(encode(page.items));
    },
    async pull(controller) {
      if (page.nextCursor === null) return controller.close();
      try {
        if (rows >= file.rowLimit) throw tooLong(file.rowLimit);
        page = await file.read({ limit: file.pageSize, cursor: page.nextCursor });
        rows += page.items.length;
        controller.enqueue(encode(page.items));
      } catch (error) {
        log.error("csv_broken_off", { name: file.name, rows, error });
        controller.error(error); // the connection breaks, so that nobody takes the file for a whole one
      }
    },
  });
  return new Response(body, {
    headers: {
      "content-type": file.contentType,
      "content-disposition": `attachment; filename="${file.name}.${file.ending}"`,
      "cache-control": "no-store",
    },
  });
}

function tooLong(rowLimit: number): AppError {
  return new AppError("validation_failed", {
    message: `The file would have more than ${rowLimit} rows. Narrow the range with from and to.`,
  });
}
