// A process of its own: the built Workers import a file that came in parts, from R2 as Miniflare has it into Postgres
// through the stand-in for Neon. Prints one line of JSON with the most memory that the runtime has held meanwhile.
import assert from "node:assert/strict";
import { open, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { startPostgresServer } from "../../test/harness/postgres.ts";
import { childProcessesOf } from "../../test/harness/processes.ts";
import { startStack } from "../../test/harness/stack.ts";
import { peakMemoryMbOf } from "../process-memory.ts";
import { importedFile, workerImport } from "./import-found.ts";
import { writeImportFile } from "./write-file.ts";

const LOOK_MS = 250;
/** How often the cron Worker is called, as where it is deployed. */
const TICK_MS = 60_000;
const DEADLINE_MS = 30 * 60_000;

const rows = Number(process.argv[2]);
const folder = await mkdtemp(path.join(tmpdir(), "switchyard-bench-imports-"));
const server = await startPostgresServer();
// The runtime's process has to be told from those of Postgres.
const stack = await startStack({ postgres: server, vars: { JOB_IN_BACKGROUND: "1" } });
try {
  const file = path.join(folder, "rows.csv");
  await writeImportFile(file, rows);
  const { size } = await stat(file);
  const team = await stack.createTeam();
  const uploadId = await sendInParts(file, size);
  // A new process, which has held nothing of the upload.
  const others = await childProcessesOf(process.pid);
  await stack.restart();
  const runtime = (await childProcessesOf(process.pid)).filter((pid) => !others.includes(pid));
  const idleMb = await peakMemoryMbOf(runtime);
  const begun = performance.now();
  const { job } = await team.client.expect<{ job: { id: string } }>(
    202,
    "POST",
    "/v1/campaigns/uploads",
    { upload_id: uploadId },
  );
  await ended(job.id);
  const importMs = performance.now() - begun;
  console.log(
    JSON.stringify(
      workerImport.parse({ rows, importMs, idleMb, peakMb: await peakMemoryMbOf(runtime) }),
    ),
  );

  async function sendInParts(name: string, bytes: number): Promise<string> {
    const upload = await team.client.expect<{ upload_id: string; part_size: number }>(
      201,
      "POST",
      "/v1/uploads",
      { name: "rows.csv", size: bytes, content_type: "text/csv" },
    );
    const handle = await open(name);
    for (let number = 1, at = 0; at < bytes; number += 1, at += upload.part_size) {
      const part = Buffer.alloc(Math.min(upload.part_size, bytes - at));
      await handle.read(part, 0, part.length, at);
      const answer = await fetch(
        `${stack.urls.api}/v1/uploads/${upload.upload_id}/parts/${number}`,
        { method: "PUT", headers: { authorization: `Bearer ${team.key}` }, body: part },
      );
      assert.equal(answer.status, 200, await answer.text());
    }
    await handle.close();
    await team.client.expect(200, "POST", `/v1/uploads/${upload.upload_id}/complete`);
    return upload.upload_id;
  }

  async function ended(jobId: string): Promise<void> {
    const until = performance.now() + DEADLINE_MS;
    let nextTick = performance.now() + TICK_MS;
    for (;;) {
      const [row] = await stack.sql("SELECT state, result, error_message FROM jobs WHERE id = $1", [
        jobId,
      ]);
      const { state, result } = importedFile.parse(row);
      if (state === "succeeded") {
        assert.equal(result?.accepted, rows);
        return;
      }
      if (["failed", "cancelled"].includes(state)) {
        const errors = stack.logs.entries.filter(({ level }) => level === "error");
        throw new Error(`the import ${state}: ${JSON.stringify([row, ...errors.slice(-5)])}`);
      }
      assert(performance.now() < until, `the import has not ended after ${DEADLINE_MS} ms`);
      if (performance.now() >= nextTick) {
        nextTick += TICK_MS;
        await stack.tick();
      }
      await delay(LOOK_MS);
    }
  }
} finally {
  await stack.stop();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}
