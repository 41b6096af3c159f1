import { fontFilePath, MOST_FONT_FILES } from "#core/reports/pdf/font-files.ts";
import { ASSETS_ORIGIN } from "./assets-origin.ts";

/** Files of `scripts/cut-report-fonts.mjs` by their names, in their order; null for one that there is not. */
export async function readFontFiles(
  assets: ApiEnv["ASSETS"],
  names: readonly string[],
): Promise<(Uint8Array | null)[]> {
  return Promise.all(
    names.slice(0, MOST_FONT_FILES).map(async (name) => {
      const path = fontFilePath(name);
      if (path === null) return null;
      const answer = await assets.fetch(ASSETS_ORIGIN + path);
      if (answer.ok) return new Uint8Array(await answer.arrayBuffer());
      await answer.body?.cancel();
      if (answer.status === 404) return null;
      throw new Error(`The font file ${name} has ${answer.status}.`);
    }),
  );
}
