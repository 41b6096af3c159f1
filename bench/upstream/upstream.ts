import { z } from "zod";
import type { Processes } from "../process/parent.ts";

/** Starts the bench's model provider and returns its address, without a path. */
export async function startUpstream(processes: Processes): Promise<string> {
  const child = await processes.start({
    name: "upstream",
    module: new URL("server.ts", import.meta.url),
    input: {},
    ready: z.object({ port: z.number() }),
  });
  return `http://127.0.0.1:${child.ready.port}`;
}
