import { writeZip, type ZipPart } from "./write-zip.ts";

/** A workbook by hand: sheets as XML, and what stands around them only where it is given. */
export interface RawWorkbook {
  sheets: { name: string; xml: string; state?: string }[];
  sharedStrings?: string;
  styles?: string;
  since1904?: boolean;
}

/** The parts of a workbook, to be packed as a test likes. */
export function workbookParts(book: RawWorkbook): ZipPart[] {
  const relations = book.sheets.map(
    (_sheet, index) =>
      `<Relationship Id="rId${index + 1}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="/xl/worksheets/data-${index}.xml"/>`,
  );
  const sheets = book.sheets.map(
    ({ name, state }, index) =>
      `<sheet name="${name}" sheetId="${index + 1}"${state ? ` state="${state}"` : ""} r:id="rId${index + 1}"/>`,
  );
  const parts: ZipPart[] = [
    {
      name: "xl/workbook.xml",
      content: `<?xml version="1.0"?><workbook><workbookPr${book.since1904 === true ? ' date1904="1"' : ""}/><sheets>${sheets.join("")}</sheets></workbook>`,
    },
    {
      name: "xl/_rels/workbook.xml.rels",
      content: `<Relationships>${relations.join("")}</Relationships>`,
    },
    ...book.sheets.map(({ xml }, index) => ({
      name: `xl/worksheets/data-${index}.xml`,
      content: xml,
    })),
  ];
  if (book.sharedStrings !== undefined) {
    parts.push({ name: "xl/sharedStrings.xml", content: book.sharedStrings });
  }
  if (book.styles !== undefined) parts.push({ name: "xl/styles.xml", content: book.styles });
  return parts;
}

/** One sheet of these rows' XML, as a file. */
export const sheetWorkbook = (rows: string, over: Partial<RawWorkbook> = {}): Uint8Array =>
  writeZip(
    workbookParts({
      sheets: [{ name: "Data", xml: `<worksheet><sheetData>${rows}</sheetData></worksheet>` }],
      ...over,
    }),
  );
