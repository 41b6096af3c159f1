import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";
import { chatBody, chatPath, type Party, type PartyOptions, type Requests } from "./party.ts";

const usageSeen = z.object({ records: z.number(), exact: z.number() });
type UsageSeen = z.infer<typeof usageSeen>;

/** How long usage may take from the isolate to Postgres once the load is over. */
const settledWithinMs = 120_000;
const lookEveryMs = 250;
/** What is cut off may be recorded or not; it counts as settled once nothing has come for so long. */
const quietMs = 3_000;

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
    ready: z.object({ url: z.string(), key: z.string(), pids: z.array(z.number()) }),
  });
  return {
    name: "switchyard",
    pids: child.ready.pids,
    chat: (options) => ({
      url: child.ready.url + chatPath,
      headers: { "content-type": "application/json", authorization: `Bearer ${child.ready.key}` },
      body: chatBody(options),
    }),
    settle: (got) => settle(() => child.call("usage", null, usageSeen), got),
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

/** Waits until each request has its usage record, and throws where one is missing, wrong or too many. */
async function settle(
  look: () => Promise<UsageSeen>,
  { answered, cut }: Requests,
): Promise<string> {
  const startedAt = performance.now();
  let seen = await look();
  let changedAt = startedAt;
  const isSettled = () =>
    seen.records >= answered && (cut === 0 || performance.now() - changedAt > quietMs);
  while (!isSettled() && performance.now() - startedAt < settledWithinMs) {
    await sleep(lookEveryMs);
    const now = await look();
    if (now.records !== seen.records) changedAt = performance.now();
    seen = now;
  }
  const summary = `${answered} requests answered${cut > 0 ? ` and ${cut} cut off` : ""}, ${seen.records} usage records in Postgres, ${seen.exact} of them with the provider's own token counts`;
  if (seen.records < answered)
    throw new Error(
      `usage was lost: ${summary}, ${settledWithinMs / 1_000} s after the last answer`,
    );
  if (seen.records > answered + cut) throw new Error(`usage was counted twice: ${summary}`);
  if (seen.exact < answered) throw new Error(`usage is wrong: ${summary}`);
  return summary;
}
