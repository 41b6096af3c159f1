import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ReportFonts } from "#core/reports/pdf/report-fonts.ts";

/** The fonts that the cron Worker brings along. */
export function reportFonts(): ReportFonts {
  const file = (specifier: string) => readFileSync(fileURLToPath(import.meta.resolve(specifier)));
  return new ReportFonts({
    regular: file("vazirmatn/fonts/ttf/Vazirmatn-Regular.ttf"),
    bold: file("vazirmatn/fonts/ttf/Vazirmatn-Bold.ttf"),
    fallbacks: [],
  });
}
