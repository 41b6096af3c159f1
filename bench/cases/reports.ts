import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { convertV4MiniflareOptions, Miniflare, Response as MiniflareResponse } from "miniflare";
import { percentile } from "../load/load.ts";
import type { PartyName } from "../parties/party.ts";
import type { Metrics } from "../rounds.ts";
import type { Bench, BenchCase } from "./case.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** Times that each is written; the first ones warm the isolate up and do not count. */
const PDFS = { warm: 5, counted: 20 } as const;
const SHEETS = { warm: 1, counted: 3 } as const;
const ROWS = 100_000;

/** Reports written in workerd, each with other numbers; the time is that of whoever asks, with the file read whole. */
export const reports: BenchCase = {
  name: "reports",
  title: `A PDF of 5 pages in English and Persian, and an Excel file of ${ROWS.toLocaleString("en")} rows`,
  byDefault: true,
  columns: [
    { key: "pdf_en_ms", title: "PDF (en) ms", digits: 1 },
    { key: "pdf_fa_ms", title: "PDF (fa) ms", digits: 1 },
    { key: "xlsx_ms", title: "Excel ms", digits: 0 },
    { key: "xlsx_mb", title: "Excel MB", digits: 1, compared: false },
  ],
  run,
};

async function run({ parties, progress }: Bench): Promise<Map<PartyName, Metrics>> {
  if (!parties.some(({ name }) => name === "switchyard")) return new Map();
  const folder = await mkdtemp(path.join(tmpdir(), "switchyard-bench-reports-"));
  try {
    await build(folder);
    const worker = new Miniflare(
      convertV4MiniflareOptions({
        workers: [
          {
            name: "reports",
            modules: [
              { type: "ESModule" as const, path: path.join(folder, "worker.js") },
              ...(await fontModules(folder)),
            ],
            modulesRoot: folder,
            compatibilityDate: "2026-11-01",
            compatibilityFlags: ["nodejs_compat"],
            serviceBindings: { FONTS: fontFile },
          },
        ],
        host: "127.0.0.1",
        port: 0,
      }),
    );
    try {
      const address = await worker.ready;
      const metrics = await measure(address, progress);
      return new Map([["switchyard", metrics]]);
    } finally {
      await worker.dispose();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(address: URL, progress: Bench["progress"]): Promise<Metrics> {
  const median = async (
    asked: (seed: number) => string,
    { warm, counted }: typeof PDFS | typeof SHEETS,
  ) => {
    const times: number[] = [];
    for (let seed = 1; seed <= warm + counted; seed += 1) {
      const { ms, begin } = await timed(new URL(asked(seed), address));
      assert.match(begin, /^(%PDF|PK)/);
      if (seed > warm) times.push(ms);
    }
    return percentile(Float64Array.from(times), 0.5);
  };
  const metrics = {
    pdf_en_ms: await median((seed) => `/pdf?seed=${seed}`, PDFS),
    pdf_fa_ms: await median((seed) => `/pdf?language=fa&seed=${seed}`, PDFS),
    xlsx_ms: await median((seed) => `/xlsx?campaigns=${ROWS}&seed=${seed}`, SHEETS),
  };
  const { size } = await timed(new URL(`/xlsx?campaigns=${ROWS}`, address));
  progress(
    `reports: PDF ${metrics.pdf_en_ms.toFixed(0)} ms, Excel ${metrics.xlsx_ms.toFixed(0)} ms`,
  );
  return { ...metrics, xlsx_mb: size / 1e6 };
}

async function timed(url: URL): Promise<{ ms: number; size: number; begin: string }> {
  const started = performance.now();
  const answer = await fetch(url);
  const bytes = new Uint8Array(await answer.arrayBuffer());
  assert.equal(answer.status, 200, new TextDecoder().decode(bytes.subarray(0, 500)));
  const ms = performance.now() - started;
  return { ms, size: bytes.length, begin: new TextDecoder().decode(bytes.subarray(0, 4)) };
}

/** A file of the build's fonts, for letters that the bundle's own lack. */
async function fontFile(request: { url: string }): Promise<MiniflareResponse> {
  const file = path.join(root, "dist/assets/fonts", path.basename(new URL(request.url).pathname));
  return new MiniflareResponse(await readFile(file));
}

async function fontModules(folder: string) {
  const fonts = (await readdir(folder)).filter((name) => name.endsWith(".ttf"));
  return fonts.map((name) => ({ type: "Data" as const, path: path.join(folder, name) }));
}

async function build(folder: string): Promise<void> {
  await promisify(execFile)(process.execPath, [path.join(root, "scripts/build-assets.mjs")]);
  const wrangler = path.join(root, "node_modules/wrangler/bin/wrangler.js");
  const config = path.join(root, "bench/reports/wrangler.toml");
  await promisify(execFile)(
    process.execPath,
    [wrangler, "deploy", "--dry-run", "-c", config, "--outdir", folder],
    { cwd: root, env: { ...process.env, WRANGLER_SEND_METRICS: "false" } },
  );
}
