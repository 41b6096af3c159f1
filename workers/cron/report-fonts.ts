import bold from "vazirmatn/fonts/ttf/Vazirmatn-Bold.ttf";
import regular from "vazirmatn/fonts/ttf/Vazirmatn-Regular.ttf";
import { ReportFonts } from "#core/reports/pdf/report-fonts.ts";

let fonts: ReportFonts | null = null;

/**
 * Vazirmatn (SIL Open Font License 1.1, its text is in the package), which has Persian and Latin. Parsed once an
 * isolate: nothing of a report stays in it but the shapes of words.
 */
export function reportFonts(): ReportFonts {
  fonts ??= new ReportFonts({
    regular: new Uint8Array(regular),
    bold: new Uint8Array(bold),
  });
  return fonts;
}
