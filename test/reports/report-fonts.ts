import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { fontFilePath, type FontFileReader } from "#core/reports/pdf/font-files.ts";
import { ReportFonts } from "#core/reports/pdf/report-fonts.ts";
import type { PdfFonts } from "#core/reports/pdf/write-pdf.ts";

const ASSETS = fileURLToPath(new URL("../../dist/assets", import.meta.url));

let fonts: ReportFonts | null = null;

/** The fonts that the cron Worker brings along, parsed once, and those that the build has cut. */
export function reportFonts(): PdfFonts {
  fonts ??= newReportFonts();
  return { fonts, read: readFontFiles };
}

/** The same with nothing read yet. */
export function newReportFonts(): ReportFonts {
  const file = (specifier: string) => readFileSync(fileURLToPath(import.meta.resolve(specifier)));
  return new ReportFonts({
    regular: file("vazirmatn/fonts/ttf/Vazirmatn-Regular.ttf"),
    bold: file("vazirmatn/fonts/ttf/Vazirmatn-Bold.ttf"),
  });
}

/** Reads the files of `npm run build`, as the api Worker does. */
export const readFontFiles: FontFileReader = (names) =>
  Promise.all(
    names.map(async (name) => {
      const path = fontFilePath(name);
      if (path === null) return null;
      try {
        return new Uint8Array(await readFile(ASSETS + path));
      } catch (error) {
        if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
        throw error;
      }
    }),
  );
