import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ReportFonts } from "#core/reports/pdf/report-fonts.ts";

let fonts: ReportFonts | null = null;

/** The fonts that the cron Worker brings along, parsed once. */
export function reportFonts(): ReportFonts {
  fonts ??= readFonts();
  return fonts;
}

function readFonts(): ReportFonts {
  const file = (specifier: string) => readFileSync(fileURLToPath(import.meta.resolve(specifier)));
  return new ReportFonts({
    regular: file("vazirmatn/fonts/ttf/Vazirmatn-Regular.ttf"),
    bold: file("vazirmatn/fonts/ttf/Vazirmatn-Bold.ttf"),
    fallbacks: [],
  });
}
