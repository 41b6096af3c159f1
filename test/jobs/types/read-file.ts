import ExcelJs from "exceljs";
import { extractText, getDocumentProxy } from "unpdf";

/** What a file says, without the time at which it was made; for other files than reports, its bytes. */
export async function readFile(name: string, bytes: Uint8Array): Promise<unknown> {
  const text = () => new TextDecoder().decode(bytes);
  switch (name.split(".").at(-1)) {
    case "json":
      return text().replace(/"generated_at": ?"[^"]*"/, "");
    case "html":
      return withoutMoment(text());
    case "pdf": {
      const { text: pages } = await extractText(await getDocumentProxy(bytes));
      return pages.map(withoutMoment);
    }
    case "xlsx":
      return withoutMoment(JSON.stringify(await sheetsOf(bytes)));
    default:
      return text();
  }
}

/** A report says on its first page when it was generated. */
const withoutMoment = (text: string) =>
  text.replaceAll(/Generated.{0,80}?\d{1,2}:\d{2}/gs, "Generated");

async function sheetsOf(bytes: Uint8Array) {
  const workbook = new ExcelJs.Workbook();
  await workbook.xlsx.load(bytes.slice().buffer);
  return workbook.worksheets.map((sheet) => ({
    name: sheet.name,
    rows: sheet.getSheetValues(),
  }));
}
