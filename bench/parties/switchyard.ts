import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";
import { chatAt, type Party, type PartyOptions } from "./party.ts";
import { settleUsage, usageSeen } from "./settle-usage.ts";

/** Switchyard's built Workers with a real key, a provider by the admin API, and usage records on. */
export async function startSwitchyard({
  processes,
  upstream,
  profiled,
}: PartyOptions): Promise<Party> {
  await buildWorkers();
  const child = await processes.start({
    name: "switchyard",
    module: new URL("switchyard-process.ts", import.meta.url),
    input: { upstream, profiled },
    ready: z.object({
      url: z.string(),
      key: z.string(),
      pids: z.array(z.number()),
      pidsBehind: z.array(z.number()),
    }),
  });
  return {
    name: "switchyard",
    pids: child.ready.pids,
    pidsBehind: child.ready.pidsBehind,
    chat: chatAt(child.ready.url, `Bearer ${child.ready.key}`),
    at: (path) => ({
      url: child.ready.url + path,
      headers: { authorization: `Bearer ${child.ready.key}` },
    }),
    makeKeys: (count) => child.call("makeKeys", count, z.array(z.string())),
    settle: (got) => settleUsage({ got, look: () => child.call("usage", null, usageSeen) }),
    profile: (seconds) => child.call("profile", seconds, z.string()),
  };
}

/** What is measured must be what the source says now, not what was built some time ago. */
async function buildWorkers(): Promise<void> {
  const script = fileURLToPath(new URL("../../scripts/build.mjs", import.meta.url));
  await promisify(execFile)(process.execPath, [script]).catch((error: unknown) => {
    // The script's own words say which Worker does not build and why.
    const words = z.object({ stderr: z.string() }).safeParse(error);
    throw words.success ? new Error(words.data.stderr) : error;
  });
}
