import type { ByteSource } from "../byte-source.ts";
import { inflateText } from "./inflate-entry.ts";
import { readDateStyles } from "./date-styles.ts";
import { XmlScanner, xmlText, type XmlHandler } from "./xml-scanner.ts";
import { damaged, readZipDirectory, type ZipEntry } from "./zip-directory.ts";

export interface Sheet {
  name: string;
  entry: ZipEntry;
}

/** What stands around the sheets' cells. */
export interface Workbook {
  /** In their order; hidden ones are left out. */
  sheets: Sheet[];
  sharedStrings: ZipEntry | undefined;
  /** By the style's number: whether it shows a day. */
  dateStyles: boolean[];
  since1904: boolean;
}

const MOST_SHEETS = 1_000;
/** Of a part that is read whole. */
const MOST_PART_BYTES = 32 * 1_048_576;

/** Finds the sheets of a workbook and what is needed to read them. @throws AppError `validation_failed` */
export async function readWorkbook(source: ByteSource): Promise<Workbook> {
  const entries = await readZipDirectory(source);
  const path = await workbookPath(source, entries);
  const entry = entries.get(path);
  if (entry === undefined) throw damaged("it is no workbook, or one of another format than .xlsx");
  const book = new WorkbookHandler();
  new XmlScanner(book).push(await inflateText(source, entry, MOST_PART_BYTES));
  const parts = await readRelations(source, entries, path);
  const styles = parts.byType.get("styles");
  const stylesEntry = entries.get(styles ?? "xl/styles.xml");
  return {
    sheets: book.sheets.flatMap(({ name, relation, hidden }, index) => {
      const sheetPath = parts.byId.get(relation) ?? `xl/worksheets/sheet${index + 1}.xml`;
      const sheetEntry = entries.get(sheetPath);
      // A chart has a sheet of its own, which has no cells.
      const hasCells = !sheetPath.includes("chartsheets/");
      return hidden || sheetEntry === undefined || !hasCells ? [] : [{ name, entry: sheetEntry }];
    }),
    sharedStrings: entries.get(parts.byType.get("sharedStrings") ?? "xl/sharedStrings.xml"),
    dateStyles:
      stylesEntry === undefined
        ? []
        : readDateStyles(await inflateText(source, stylesEntry, MOST_PART_BYTES)),
    since1904: book.since1904,
  };
}

class WorkbookHandler implements XmlHandler {
  readonly sheets: { name: string; relation: string; hidden: boolean }[] = [];
  since1904 = false;

  open(name: string, scanner: XmlScanner): void {
    if (name === "workbookPr") {
      this.since1904 = ["1", "true"].includes(scanner.attribute("date1904") ?? "");
    } else if (name === "sheet") {
      if (this.sheets.length >= MOST_SHEETS) throw damaged("it has more than 1,000 sheets");
      this.sheets.push({
        name: xmlText(scanner.attribute("name") ?? ""),
        relation: scanner.attributeEndingWith(":id") ?? "",
        hidden: (scanner.attribute("state") ?? "visible") !== "visible",
      });
    }
  }

  close(): void {
    // Everything stands in attributes.
  }
}

interface Relations {
  byId: Map<string, string>;
  /** By the last word of the type. */
  byType: Map<string, string>;
}

async function workbookPath(
  source: ByteSource,
  entries: ReadonlyMap<string, ZipEntry>,
): Promise<string> {
  const { byType } = await readRelations(source, entries, "");
  return byType.get("officeDocument") ?? "xl/workbook.xml";
}

/** What a part refers to, as paths within the archive. */
async function readRelations(
  source: ByteSource,
  entries: ReadonlyMap<string, ZipEntry>,
  part: string,
): Promise<Relations> {
  const folder = part.slice(0, part.lastIndexOf("/") + 1);
  const entry = entries.get(`${folder}_rels/${part.slice(folder.length)}.rels`);
  const handler = new RelationsHandler(folder);
  if (entry !== undefined) {
    new XmlScanner(handler).push(await inflateText(source, entry, MOST_PART_BYTES));
  }
  return handler;
}

class RelationsHandler implements XmlHandler, Relations {
  readonly byId = new Map<string, string>();
  readonly byType = new Map<string, string>();
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  open(name: string, scanner: XmlScanner): void {
    if (name !== "Relationship") return;
    const target = xmlText(scanner.attribute("Target") ?? "");
    const path = resolvePath(this.#folder, target);
    this.byId.set(scanner.attribute("Id") ?? "", path);
    const type = scanner.attribute("Type") ?? "";
    this.byType.set(type.slice(type.lastIndexOf("/") + 1), path);
  }

  close(): void {
    // Everything stands in attributes.
  }
}

function resolvePath(folder: string, target: string): string {
  const parts: string[] = [];
  for (const part of (target.startsWith("/") ? target : folder + target).split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.join("/");
}
