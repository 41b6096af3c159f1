import { fileURLToPath } from "node:url";
import { z } from "zod";
import { runChild } from "../process/child.ts";
import { startWorkerd } from "./workerd.ts";

/** Runs the bare proxy. Without its workerd this process is of no use, and its end tells the bench. */
runChild({
  input: z.object({ upstream: z.string() }),
  start: async ({ upstream }) => {
    const bare = {
      name: "bare",
      source: { path: fileURLToPath(new URL("bare-worker.js", import.meta.url)) },
      compatibilityDate: "2026-11-01",
      compatibilityFlags: [],
      vars: { UPSTREAM: upstream },
    };
    const { port, pid, stop } = await startWorkerd([bare], {
      onExit: (code) => process.exit(code ?? 1),
    });
    return { ready: { port, pid }, stop };
  },
});
