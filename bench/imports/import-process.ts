// A process of its own, so that its peak of memory is that of one import. Prints one line of JSON.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { chmod, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { importCampaignDataProgram } from "../../core/campaigns/import/import-program.ts";
import type { FileStore } from "../../core/files/file-store.ts";
import { uploads } from "../../schema/index.ts";
import { startPostgresServer } from "../../test/harness/postgres.ts";
import { MemoryFileStore } from "../../test/files/memory-file-store.ts";
import { runProgram } from "../../test/jobs/run-program.ts";
import { openTestDatabase } from "../../test/usage/database.ts";
import { peakMemoryMb } from "../process-memory.ts";
import { nodeImport } from "./import-found.ts";
import { writeImportFile, writeLines } from "./write-file.ts";

const rows = Number(process.argv[2]);
const folder = await mkdtemp(path.join(tmpdir(), "switchyard-bench-imports-"));
const server = await startPostgresServer();
const database = await openTestDatabase(server);
try {
  await chmod(folder, 0o755); // Postgres reads the file that it copies
  const file = path.join(folder, "rows.csv");
  await writeImportFile(file, rows);
  const { size } = await stat(file);
  await database.pool.query("INSERT INTO teams (id, name) VALUES ('team_bench', 'bench')");
  await database
    .context()
    .db.insert(uploads)
    .values({
      id: "upl_bench",
      teamId: "team_bench",
      name: "rows.csv",
      contentType: "text/csv",
      size,
      state: "complete",
      createdBy: "bench",
      expiresAt: new Date("2100-01-01"),
    });
  let begun = performance.now();
  const result = await runProgram(importCampaignDataProgram, {
    teamId: "team_bench",
    context: database.context(),
    files: fileOnDisk(file, size),
    input: { upload_id: "upl_bench" },
  });
  const importMs = performance.now() - begun;
  const peakMb = await peakMemoryMb();
  if (result.accepted !== rows) throw new Error(`${result.accepted} of ${rows} rows were accepted`);
  const copyMs = await copySame();
  console.log(JSON.stringify(nodeImport.parse({ rows, importMs, copyMs, peakMb })));

  /** The same rows, in the order of the file, into the same table with the same index. */
  async function copySame(): Promise<number> {
    const { rows: named } = await database.pool.query<{ name: string; number: string }>(
      "SELECT name, number FROM campaigns",
    );
    const numbers = new Map(named.map(({ name, number }) => [name, number]));
    const facts = path.join(folder, "facts.copy");
    await writeLines(facts, "", rows, (row) =>
      [
        numbers.get(row.campaign),
        row.impressions,
        row.clicks,
        row.cents * 10_000,
        row.conversions * 1_000_000,
        row.revenueCents * 10_000,
        row.day,
        1,
        row.adGroup,
        "",
        "\n",
      ].join("\t"),
    );
    await database.pool.query("CREATE TABLE copied (LIKE campaign_facts INCLUDING ALL)");
    begun = performance.now();
    await database.pool.query(
      `COPY copied (campaign, impressions, clicks, spend_micros, conversion_micros, revenue_micros, day, import_number, ad_group, ad, segment) FROM '${facts}'`,
    );
    return performance.now() - begun;
  }
} finally {
  await database.drop();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}

/** One file on disk as the store's, read in ranges; what is written is held in memory, and is nothing here. */
function fileOnDisk(file: string, size: number): FileStore {
  const store = new MemoryFileStore();
  const facts = { size, contentType: "text/csv", etag: '"bench"', storedAt: new Date() };
  return Object.assign(store, {
    head: async () => facts,
    get: async (_key: string, range?: { offset?: number; length?: number }) => {
      const start = range?.offset ?? 0;
      const end = range?.length === undefined ? size : start + range.length;
      const stream = createReadStream(file, { start, end: end - 1, highWaterMark: 262_144 });
      return { body: Readable.toWeb(stream) as ReadableStream<Uint8Array>, facts }; // node's type and the platform's differ
    },
    sha256: async () => {
      const hash = createHash("sha256");
      for await (const chunk of createReadStream(file)) hash.update(chunk);
      return hash.digest("hex");
    },
  });
}
