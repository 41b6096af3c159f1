/**
 * What single calls of the platform cost: a small proxy on plain workerd that reads both bodies, with one thing added
 * at a time, and at last with every call that a chat makes, in CPU time for each request.
 * `node bench/platform-costs.ts [rounds]`; needs `wrk`.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { checkAnswer } from "./cases/check-answer.ts";
import { findWrk, wrkLoad } from "./load/wrk.ts";
import { chatAt, chatPath } from "./parties/party.ts";
import { startWorkerd } from "./parties/workerd.ts";
import { cpuMs } from "./process-cpu.ts";
import { Processes } from "./process/parent.ts";
import { takeTurns } from "./rounds.ts";
import { models } from "./upstream/replies.ts";
import { startUpstream } from "./upstream/upstream.ts";

/** What is put into the proxy, at four places. */
type Addition = { first?: string; init?: string; last?: string; headers?: string };

const header = (index: number) => `"x-header-${index}": "abcdefghijklmnopqrstuvwxyz"`;
const headers = (count: number) =>
  Array.from({ length: count }, (_, index) => header(index)).join();
const line = JSON.stringify({ level: "info", event: "request", text: "x".repeat(400) });

const additions: Record<string, Addition> = {
  "the proxy that reads both bodies": {},
  "ten headers of the request looked up": {
    first: `for (let i = 0; i < 10; i++) request.headers.get("x-header-" + i);`,
  },
  "ten headers of the answer": { headers: headers(10) },
  "six headers of the provider's request": { init: `headers: { ${headers(6)} },` },
  "an abort signal of its own": { init: `signal: new AbortController().signal,` },
  "the client's hang-up heard": {
    first: `const own = new AbortController(); const hear = () => own.abort(); request.signal.addEventListener("abort", hear, { once: true });`,
    init: `signal: own.signal,`,
    last: `request.signal.removeEventListener("abort", hear);`,
  },
  "a timer set and cleared": {
    first: `const timer = setTimeout(() => {}, 60_000);`,
    last: `clearTimeout(timer);`,
  },
  "a waitUntil": { last: `ctx.waitUntil(Promise.resolve());` },
  "a log line": { last: `console.log(${JSON.stringify(line)});` },
  "SHA-256 of the key": {
    first: `await crypto.subtle.digest("SHA-256", new TextEncoder().encode(request.headers.get("authorization")));`,
  },
  "every call that a chat makes": {
    first: `for (let i = 0; i < 11; i++) request.headers.get("x-header-" + i); const own = new AbortController(); const hear = () => own.abort(); request.signal.addEventListener("abort", hear, { once: true }); const timer = setTimeout(() => {}, 60_000);`,
    init: `headers: { ${headers(6)} }, signal: own.signal, redirect: "manual",`,
    last: `request.signal.removeEventListener("abort", hear); clearTimeout(timer); ctx.waitUntil(Promise.resolve()); console.log(${JSON.stringify(line)});`,
    headers: headers(14),
  },
};

const bare = `export default { fetch: (request, env) => fetch(env.UPSTREAM + new URL(request.url).pathname, request) };`;

function proxy({ first = "", init = "", last = "", headers: more = "" }: Addition): string {
  return `export default { async fetch(request, env, ctx) {
    ${first}
    const body = await request.text();
    JSON.parse(body);
    const response = await fetch(env.UPSTREAM + "${chatPath}", { method: "POST", body, ${init} });
    const answer = await response.text();
    JSON.parse(answer);
    ${last}
    return new Response(answer, { headers: { "content-type": "application/json", ${more} } });
  } };`;
}

const rounds = Number(process.argv[2] ?? 9);
const wrk = await findWrk();
if (wrk === null) throw new Error("This needs wrk on the PATH");
const load = wrkLoad(wrk, new AbortController().signal);
const processes = new Processes();
const folder = await mkdtemp(path.join(tmpdir(), "switchyard-bench-costs-"));
const upstream = await startUpstream(processes);

const sources = [
  ["a bare proxy", bare] as const,
  ...Object.entries(additions).map(([name, addition]) => [name, proxy(addition)] as const),
];
const subjects = await Promise.all(
  sources.map(async ([name, source], index) => {
    const file = path.join(folder, `${index}.js`);
    await writeFile(file, source);
    const worker = {
      name: "costs",
      source: { path: file },
      compatibilityDate: "2026-11-01",
      compatibilityFlags: ["enable_request_signal"],
      vars: { UPSTREAM: upstream },
    };
    const { port, pid, stop } = await startWorkerd([worker], { onExit: () => process.exit(1) });
    const chat = chatAt(`http://127.0.0.1:${port}`);
    const request = await checkAnswer({ name, chat }, { model: models.burst, stream: false });
    return { name, pid, stop, request };
  }),
);

const results = await takeTurns({
  subjects,
  rounds,
  measure: async ({ pid, request }) => {
    const before = await cpuMs([pid]);
    const { answered } = await load.round(request, { connections: 16, seconds: 1 });
    return { cpu_us: (((await cpuMs([pid])) - before) * 1_000) / answered };
  },
});
const micros = [...results].map(([{ name }, metrics]) => ({ name, us: metrics["cpu_us"] ?? 0 }));
const base = micros[1]?.us ?? 0;
micros.forEach(({ name, us }, index) => {
  const added = index < 2 ? "" : `${us >= base ? "+" : "-"}${Math.abs(us - base).toFixed(0)}`;
  console.log(`${name.padEnd(40)} ${us.toFixed(0).padStart(5)} µs ${added.padStart(6)}`);
});

for (const { stop } of subjects) await stop();
await processes.stopAll();
await rm(folder, { recursive: true });
