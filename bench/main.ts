import { type Bench, type BenchCase } from "./cases/case.ts";
import { cases } from "./cases/index.ts";
import { startAutocannon } from "./load/autocannon.ts";
import type { Load } from "./load/load.ts";
import { findWrk, wrkLoad } from "./load/wrk.ts";
import { describeMachine } from "./machine.ts";
import { type Options, readOptions, usage } from "./options.ts";
import { startParty } from "./parties/index.ts";
import { profileParty } from "./profile.ts";
import { Processes } from "./process/parent.ts";
import { type CaseResult, formatCase, writeJson } from "./report.ts";
import { RequestCount } from "./request-count.ts";
import { measureUpstream } from "./upstream/headroom.ts";
import { startUpstream } from "./upstream/upstream.ts";

const processes = new Processes();
const interrupted = new AbortController();

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    // A terminal and whoever started us may both send it.
    if (interrupted.signal.aborted) return;
    interrupted.abort();
    void processes.stopAll().then(() => process.exit(signal === "SIGINT" ? 130 : 143));
  });
}

try {
  await main(readOptions(process.argv.slice(2)));
} catch (error) {
  // After an interruption every part fails because it was stopped, which nobody needs to read.
  if (!interrupted.signal.aborted) console.error(error);
  process.exitCode = 1;
} finally {
  await processes.stopAll();
}

async function main(options: Options): Promise<void> {
  if (options.help) return console.log(usage);
  if (options.list)
    return console.log(cases.map(({ name, title }) => `${name.padEnd(20)} ${title}`).join("\n"));
  const chosen = chooseCases(options.only);

  progress(`starting the upstream, ${options.parties.join(", ")}`);
  const upstream = await startUpstream(processes);
  const load = await chooseLoad(options);
  const parties = await Promise.all(
    options.parties.map((name) =>
      startParty(name, { processes, upstream, profiled: options.profile !== null }),
    ),
  );
  const count = new RequestCount();
  const bench: Bench = { ...options, parties, load, upstream, count, progress };

  console.log(`${await describeMachine()}; load by ${load.name}`);
  console.log(
    `${options.rounds} rounds of ${options.seconds} s for each party in turn, ${options.connections} connections; medians\n`,
  );
  console.log(`${await measureUpstream(upstream, bench)}\n`);
  const results: CaseResult[] = [];
  for (const benchCase of chosen) {
    const result = { benchCase, metrics: await benchCase.run(bench) };
    results.push(result);
    console.log(`${formatCase(result)}\n`);
  }
  if (options.profile !== null) {
    const party = parties.find(({ profile }) => profile !== undefined);
    if (party === undefined) throw new Error("--profile: switchyard does not take part");
    console.log(`${await profileParty(party, options.profile, bench)}\n`);
  }
  for (const party of parties) {
    const found = await party.settle?.(count.of(party));
    if (found !== undefined) console.log(`${party.name}: ${found}`);
  }
  if (options.json !== null) await writeJson(options.json, results);
}

function chooseCases(only: string[] | null): BenchCase[] {
  if (only === null) return cases.filter(({ byDefault }) => byDefault);
  const unknown = only.filter((name) => !cases.some((benchCase) => benchCase.name === name));
  if (unknown.length > 0)
    throw new Error(`--only: there is no case ${unknown.join(", ")}; --list names them`);
  return cases.filter(({ name }) => only.includes(name));
}

async function chooseLoad(options: Options): Promise<Load> {
  const wrk = options.load === "autocannon" ? null : await findWrk();
  if (wrk !== null) return wrkLoad(wrk, interrupted.signal);
  if (options.load === "wrk") throw new Error("--load wrk: there is no wrk on the PATH");
  return startAutocannon(processes);
}

/** Progress goes to stderr, so that the figures alone can be kept from stdout. */
function progress(line: string): void {
  console.error(`· ${line}`);
}
