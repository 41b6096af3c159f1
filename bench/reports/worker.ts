import type { FontFileReader } from "../../core/reports/pdf/font-files.ts";
import { writePdf } from "../../core/reports/pdf/write-pdf.ts";
import { writeXlsx } from "../../core/reports/xlsx/write-xlsx.ts";
import { exampleReport } from "../../test/reports/example-report.ts";
import { reportFonts } from "../../workers/cron/report-fonts.ts";

interface Env {
  /** The font files of the build, by their names; the api Worker's part. */
  FONTS: { fetch(request: Request): Promise<Response> };
}

const reader =
  ({ FONTS }: Env): FontFileReader =>
  (names) =>
    Promise.all(
      names.map(async (name) => {
        const answer = await FONTS.fetch(new Request(`https://fonts.invalid/${name}`));
        return answer.ok ? new Uint8Array(await answer.arrayBuffer()) : null;
      }),
    );

/** Writes reports as asked: `/pdf?language=fa&seed=1`, `/xlsx?campaigns=100000`. */
export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const number = (name: string) => Number(searchParams.get(name) ?? 0);
    const language = searchParams.get("language") === "fa" ? "fa" : "en";
    const campaigns = number("campaigns") || 14;
    const report = exampleReport({ language, campaigns, seed: number("seed") });
    return pathname === "/pdf"
      ? new Response((await writePdf(report, { fonts: reportFonts(), read: reader(env) })).bytes)
      : new Response(writeXlsx(report));
  },
};
