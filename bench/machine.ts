import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { cpus } from "node:os";
import { z } from "zod";

/** What the figures were measured on, in a line. */
export async function describeMachine(): Promise<string> {
  const processors = cpus();
  return [
    `${processors[0]?.model.trim() ?? "unknown CPU"}, ${processors.length} cores`,
    `node ${process.versions.node}`,
    `workerd ${await packageVersion("workerd")}`,
  ].join("; ");
}

async function packageVersion(name: string): Promise<string> {
  const fromMiniflare = createRequire(import.meta.resolve("miniflare"));
  const text = await readFile(fromMiniflare.resolve(`${name}/package.json`), "utf8");
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}
