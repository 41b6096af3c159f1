import { writePdf } from "../../core/reports/pdf/write-pdf.ts";
import { writeXlsx } from "../../core/reports/xlsx/write-xlsx.ts";
import { exampleReport } from "../../test/reports/example-report.ts";
import { reportFonts } from "../../workers/cron/report-fonts.ts";

/** The bench has only the fonts of the bundle. */
const noFiles = (names: readonly string[]) => Promise.resolve(names.map(() => null));

/** Writes reports as asked: `/pdf?language=fa&seed=1`, `/xlsx?campaigns=100000`. */
export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const number = (name: string) => Number(searchParams.get(name) ?? 0);
    const language = searchParams.get("language") === "fa" ? "fa" : "en";
    const campaigns = number("campaigns") || 14;
    const report = exampleReport({ language, campaigns, seed: number("seed") });
    return pathname === "/pdf"
      ? new Response((await writePdf(report, { fonts: reportFonts(), read: noFiles })).bytes)
      : new Response(writeXlsx(report));
  },
};
