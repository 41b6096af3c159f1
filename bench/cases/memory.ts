import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Party, PartyName } from "../parties/party.ts";
import { memoryMb } from "../process-memory.ts";
import type { Metrics } from "../rounds.ts";
import { models } from "../upstream/replies.ts";
import type { Bench, BenchCase } from "./case.ts";
import { checkAnswer } from "./check-answer.ts";

const keys = 100_000;
const minutes = { early: 2, late: 10 };

/** Whether memory grows with the keys that a gateway has seen. Takes ten minutes and needs `wrk`. */
export const memory: BenchCase = {
  name: "memory",
  title: `memory under ${minutes.late} minutes of load with ${keys} different keys`,
  byDefault: false,
  columns: [
    { key: "early_mb", title: `MiB at ${minutes.early} min`, digits: 0 },
    { key: "late_mb", title: `MiB at ${minutes.late} min`, digits: 0 },
    { key: "ratio", title: "late ÷ early", digits: 2 },
    { key: "behind_early_mb", title: `behind at ${minutes.early} min`, digits: 0 },
    { key: "behind_late_mb", title: `behind at ${minutes.late} min`, digits: 0 },
    { key: "rps", title: "req/s", digits: 0 },
  ],
  run,
};

async function run(bench: Bench): Promise<Map<PartyName, Metrics>> {
  const results = new Map<PartyName, Metrics>();
  for (const party of bench.parties) {
    if (party.makeKeys) results.set(party.name, await measure(bench, party, party.makeKeys));
  }
  return results;
}

async function measure(
  { load, connections, count, progress }: Bench,
  party: Party,
  makeKeys: NonNullable<Party["makeKeys"]>,
): Promise<Metrics> {
  const folder = await mkdtemp(path.join(tmpdir(), "switchyard-bench-keys-"));
  try {
    const credentialsFile = path.join(folder, "credentials");
    await writeFile(credentialsFile, `${(await makeKeys(keys)).join("\n")}\n`);
    const checked = await checkAnswer(party, { model: models.burst, stream: false });
    count.add(party, { answered: 1, cut: 0 });
    const request = { ...checked, credentialsFile };
    const readings: number[] = [];
    const behind: number[] = [];
    let answered = 0;
    for (let minute = 1; minute <= minutes.late; minute++) {
      const result = await load.round(request, { connections, seconds: 60 });
      count.add(party, result);
      answered += result.answered;
      readings.push(await memoryMb(party.pids));
      behind.push(await memoryMb(party.pidsBehind ?? []));
      progress(
        `memory minute ${minute}: ${party.name} ${Math.round(readings.at(-1) ?? 0)} MiB, behind it ${Math.round(behind.at(-1) ?? 0)}`,
      );
    }
    const at = (all: readonly number[], minute: number) => all[minute - 1] ?? Number.NaN;
    const early = at(readings, minutes.early);
    const late = at(readings, minutes.late);
    return {
      early_mb: early,
      late_mb: late,
      ratio: late / early,
      behind_early_mb: at(behind, minutes.early),
      behind_late_mb: at(behind, minutes.late),
      rps: answered / (minutes.late * 60),
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}
