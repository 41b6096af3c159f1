import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { z } from "zod";
import { runChild } from "../process/child.ts";

/** Runs one Worker on plain workerd, without Miniflare's own Workers before and behind it. */
runChild({
  input: z.object({
    workerPath: z.string(),
    compatibilityDate: z.string(),
    compatibilityFlags: z.array(z.string()),
    vars: z.record(z.string(), z.string()),
  }),
  start: async (input) => {
    const folder = await mkdtemp(join(tmpdir(), "switchyard-bench-"));
    await symlink(input.workerPath, join(folder, "worker.js"));
    await writeFile(join(folder, "config.capnp"), workerdConfig(input));
    const workerd = spawn(
      workerdPath(),
      ["serve", "--control-fd=3", join(folder, "config.capnp")],
      {
        stdio: ["ignore", "ignore", "inherit", "pipe"],
      },
    );
    // Without its Worker this process is of no use, and its end tells the bench.
    workerd.once("exit", (code) => process.exit(code ?? 1));
    return {
      ready: { port: await listeningPort(workerd.stdio[3]), pid: workerd.pid },
      stop: async () => {
        workerd.removeAllListeners("exit");
        const ended = once(workerd, "exit");
        workerd.kill("SIGKILL");
        await ended;
        await rm(folder, { recursive: true });
      },
    };
  },
});

type WorkerInput = {
  compatibilityDate: string;
  compatibilityFlags: string[];
  vars: Record<string, string>;
};

function workerdConfig({ compatibilityDate, compatibilityFlags, vars }: WorkerInput): string {
  const bindings = Object.entries(vars).map(
    ([name, value]) => `(name = ${quote(name)}, text = ${quote(value)})`,
  );
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = ${quote(compatibilityDate)},
  compatibilityFlags = [${compatibilityFlags.map(quote).join(", ")}],
  bindings = [${bindings.join(", ")}],
);
`;
}

/** A text of Cap'n Proto's config language; nothing that the bench puts there needs more than these escapes. */
function quote(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

/** The workerd that Miniflare brings, so that all parties on workerd run on the same one. */
function workerdPath(): string {
  const require = createRequire(import.meta.resolve("miniflare"));
  return z.object({ default: z.string() }).parse(require("workerd")).default;
}

/** workerd announces each socket as a line of JSON on its control pipe. */
async function listeningPort(control: unknown): Promise<number> {
  const announcement = z.object({
    event: z.literal("listen"),
    socket: z.literal("http"),
    port: z.number(),
  });
  // Node types the extra pipe as readable or writable; a pipe that the child writes to is readable here.
  for await (const line of createInterface({ input: control as Readable })) {
    const message = announcement.safeParse(JSON.parse(line));
    if (message.success) return message.data.port;
  }
  throw new Error("workerd ended before it listened");
}
