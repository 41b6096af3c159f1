import { z } from "zod";
import { chatBody, chatPath, type Party, type PartyOptions } from "./party.ts";

/** Portkey's gateway as npm ships it, on this Node. It has no keys, limits or usage here. */
export async function startPortkeyNode({ processes, upstream }: PartyOptions): Promise<Party> {
  const child = await processes.start({
    name: "portkey_node",
    module: new URL("portkey-node-process.ts", import.meta.url),
    input: {},
    ready: z.object({ port: z.number() }),
  });
  return {
    name: "portkey_node",
    pids: [child.pid],
    chat: (options) => ({
      url: `http://127.0.0.1:${child.ready.port}${chatPath}`,
      headers: {
        "content-type": "application/json",
        authorization: "Bearer bench",
        "x-portkey-provider": "openai",
        "x-portkey-custom-host": `${upstream}/v1`,
      },
      body: chatBody(options),
    }),
  };
}
