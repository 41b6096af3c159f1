// Cuts fonts for letters that the PDF reports' own font lacks into static files, so that a report reads the few of them
// that its names need: Cyrillic, Thai, Chinese, emoji … See docs/adr/0089-a-report-is-a-document-first.md.
// What it writes stands in dist/assets/fonts/, and is made once for each version of this script and of the packages:
// build-assets.mjs calls it.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync } from "node:fs";
import { rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { create } from "fontkit";
import subsetFont from "subset-font";

const root = fileURLToPath(new URL("..", import.meta.url));
const modules = path.join(root, "node_modules");
const target = path.join(root, "dist", "assets", "fonts");

const BOTH = [400, 700];
const NUMBERED = /^\[\d+\]$/;

/**
 * In the order in which they are asked for a letter. `subsets` are the package's own names of its files; `han` tells
 * whose forms the Chinese characters have. A font with one weight only is outlined where bold is wanted.
 */
const FAMILIES = [
  {
    package: "@fontsource-variable/roboto", // the Latin letters of Vazirmatn are Roboto's
    subsets: /^(cyrillic|greek)(-ext)?$|^latin-ext$|^vietnamese$|^math$/,
    weights: BOTH,
  },
  ...["hebrew", "arabic", "thai", "devanagari", "bengali", "tamil", "armenian", "georgian"].map(
    (script) => ({
      package: `@fontsource-variable/noto-sans-${script}`,
      subsets: new RegExp(`^${script}$`),
      weights: BOTH,
    }),
  ),
  { package: "@fontsource-variable/noto-emoji", subsets: NUMBERED, weights: [400] },
  { package: "@fontsource-variable/noto-sans-symbols", subsets: /^symbols$/, weights: [400] },
  { package: "@fontsource/noto-sans-symbols-2", subsets: /^symbols$/, weights: [400] },
  { package: "@fontsource-variable/noto-sans-sc", subsets: NUMBERED, weights: [400], han: "sc" },
  { package: "@fontsource-variable/noto-sans-jp", subsets: NUMBERED, weights: [400], han: "jp" },
  { package: "@fontsource-variable/noto-sans-kr", subsets: NUMBERED, weights: [400], han: "kr" },
];

const packageFile = (name, file) => readFileSync(path.join(modules, name, file), "utf8");

/** What the files are made of; written beside them, so that a build sees whether they are those that it wants. */
function about() {
  const fonts = FAMILIES.map(({ package: name, subsets, weights, han = null }) => {
    const { version, license } = JSON.parse(packageFile(name, "package.json"));
    return { package: name, version, license, subsets: subsets.source, weights, han };
  });
  const script = createHash("sha256").update(readFileSync(fileURLToPath(import.meta.url)));
  return `${JSON.stringify({ script: script.digest("hex"), fonts }, null, 1)}\n`;
}

/** `U+400-45f,U+490` → the text of all of them. */
function textOf(ranges) {
  const points = ranges.split(",").flatMap((range) => {
    const [from, to = from] = range
      .replace(/^U\+/i, "")
      .split("-")
      .map((hex) => Number.parseInt(hex, 16));
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });
  return points.map((point) => String.fromCodePoint(point)).join("");
}

/** The file of a subset, as a package of its kind names it. */
function sourceOf({ package: name }, subset) {
  const family = name.split("/")[1];
  const cut = subset.replace(/[[\]]/g, "");
  return path.join(
    modules,
    name,
    "files",
    name.startsWith("@fontsource-variable/")
      ? `${family}-${cut}-wght-normal.woff2`
      : `${family}-${cut}-400-normal.woff2`,
  );
}

/** `[from, to, from, to …]` of code points in order, both ends included. */
function rangesOf(points) {
  const ranges = [];
  for (const point of points)
    if (ranges.at(-1) === point - 1) ranges[ranges.length - 1] = point;
    else ranges.push(point, point);
  return ranges;
}

/** Which slices have which letters, in files by blocks of 4,096 code points, so that few are read. */
class Coverage {
  #blocks = new Map();

  add(slice, points) {
    const blocks = new Map();
    for (const point of points.toSorted((one, other) => one - other)) {
      const block = point >> 12;
      if (!blocks.has(block)) blocks.set(block, []);
      blocks.get(block).push(point);
    }
    for (const [block, own] of blocks) {
      if (!this.#blocks.has(block)) this.#blocks.set(block, []);
      this.#blocks.get(block).push({ ...slice, ranges: rangesOf(own) });
    }
  }

  write(folder) {
    for (const [block, slices] of this.#blocks)
      writeFileSync(path.join(folder, `block-${block.toString(16)}.json`), JSON.stringify(slices));
  }
}

async function cutFamily(family, folder, coverage) {
  const name = family.package.split("/")[1];
  const subsets = Object.entries(JSON.parse(packageFile(family.package, "unicode.json")));
  for (const [subset, ranges] of subsets.filter(([key]) => family.subsets.test(key))) {
    const slice = `${name}-${subset.replace(/[[\]]/g, "")}`;
    const source = readFileSync(sourceOf(family, subset));
    const isVariable = family.package.startsWith("@fontsource-variable/");
    for (const weight of family.weights) {
      const font = await subsetFont(source, textOf(ranges), {
        targetFormat: "truetype",
        ...(isVariable ? { variationAxes: { wght: weight } } : {}),
      });
      writeFileSync(path.join(folder, `${slice}-${weight}.ttf`), font);
      if (weight !== 400) continue;
      const has = create(new Uint8Array(font)).characterSet;
      const order = FAMILIES.indexOf(family);
      const bold = family.weights.length > 1;
      coverage.add({ name: slice, order, han: family.han ?? null, bold }, has);
    }
  }
  writeFileSync(path.join(folder, `${name}.LICENSE.txt`), packageFile(family.package, "LICENSE"));
}

/** Makes the files of the packages that are installed, unless they are there. */
export async function cutReportFonts() {
  const wanted = about();
  const made = path.join(target, "about.json");
  if (existsSync(made) && readFileSync(made, "utf8") === wanted) return;
  mkdirSync(path.dirname(target), { recursive: true });
  const unfinished = mkdtempSync(path.join(root, "dist", ".fonts-"));
  try {
    const coverage = new Coverage();
    for (const family of FAMILIES) await cutFamily(family, unfinished, coverage);
    coverage.write(unfinished);
    writeFileSync(path.join(unfinished, "about.json"), wanted);
    rmSync(target, { recursive: true, force: true });
    renameSync(unfinished, target); // in one step, for builds side by side
  } catch (error) {
    if (!existsSync(made) || readFileSync(made, "utf8") !== wanted) throw error; // another build was quicker
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}
