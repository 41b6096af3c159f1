import { z } from "zod";
import { chatAt, type Party, type PartyOptions } from "./party.ts";

/** A bare workerd proxy: one fetch, streamed through. */
export async function startBare({ processes, upstream }: PartyOptions): Promise<Party> {
  const child = await processes.start({
    name: "bare",
    module: new URL("bare-process.ts", import.meta.url),
    input: { upstream },
    ready: z.object({ port: z.number(), pid: z.number() }),
  });
  return {
    name: "bare",
    pids: [child.ready.pid],
    chat: chatAt(`http://127.0.0.1:${child.ready.port}`),
  };
}
