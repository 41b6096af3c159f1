/**
 * Reads files of the fonts that lie with the api Worker, by their names (see `fontFilePath`).
 * @returns in their order; null for a file that there is not
 */
export type FontFileReader = (names: readonly string[]) => Promise<(Uint8Array | null)[]>;

/** How many files are read at once. */
export const MOST_FONT_FILES = 40;

/**
 * Where a file of `scripts/cut-report-fonts.mjs` stands among the static files of the api Worker.
 * @param name `block-4.json` or `noto-sans-sc-12-400.ttf`; null for what is no name of such a file
 */
export function fontFilePath(name: string): string | null {
  return /^[a-z0-9-]{1,60}\.(json|ttf)$/.test(name) ? `/fonts/${name}` : null;
}
