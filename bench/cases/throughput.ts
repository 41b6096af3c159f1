import type { PartyName } from "../parties/party.ts";
import { cpuMs } from "../process-cpu.ts";
import { type Metrics, takeTurns } from "../rounds.ts";
import type { ModelName } from "../upstream/replies.ts";
import type { Bench, BenchCase } from "./case.ts";
import { checkAnswer } from "./check-answer.ts";

/**
 * The first round warms up, and is this long at least, in seconds: until then V8 compiles what is hot, which takes
 * from a tenth to a third of the time.
 */
const warmUpSeconds = 15;

/** A case that sends one chat request as fast as the party answers, on a fixed number of connections. */
export function throughputCase(options: {
  name: string;
  title: string;
  model: ModelName;
  stream: boolean;
  byDefault?: boolean;
}): BenchCase {
  return {
    name: options.name,
    title: options.title,
    byDefault: options.byDefault ?? true,
    columns: [
      { key: "rps", title: "req/s", digits: 0 },
      { key: "p50_ms", title: "p50 ms", digits: 2 },
      { key: "p99_ms", title: "p99 ms", digits: 2 },
      { key: "cpu_us", title: "CPU µs", digits: 0 },
      { key: "behind_us", title: "behind µs", digits: 0, compared: false },
    ],
    run: (bench) => run(bench, options),
  };
}

async function run(
  bench: Bench,
  options: { name: string; model: ModelName; stream: boolean },
): Promise<Map<PartyName, Metrics>> {
  const { parties, load, count, rounds, seconds, connections, progress } = bench;
  const ready = await Promise.all(
    parties.map(async (party) => ({ party, request: await checkAnswer(party, options) })),
  );

  for (const { party } of ready) count.add(party, { answered: 1, cut: 0 });

  const results = await takeTurns({
    subjects: ready,
    rounds,
    measure: async ({ party, request }, round) => {
      const before = await cpuMs(party.pids);
      const behindBefore = await cpuMs(party.pidsBehind ?? []);
      const length = round === 0 ? Math.max(warmUpSeconds, seconds) : seconds;
      const result = await load
        .round(request, { connections, seconds: length })
        .catch((error: unknown) => {
          throw new Error(`${options.name}: ${party.name} failed under load`, { cause: error });
        });
      const each = (ms: number) => (ms * 1_000) / result.answered;
      const cpuUs = each((await cpuMs(party.pids)) - before);
      const behindUs = each((await cpuMs(party.pidsBehind ?? [])) - behindBefore);
      count.add(party, result);
      const { rps, p50Ms, p99Ms } = result;
      return { rps, p50_ms: p50Ms, p99_ms: p99Ms, cpu_us: cpuUs, behind_us: behindUs };
    },
    afterTurn: async ({ party }, round, metrics) => {
      progress(
        `${options.name} ${round === 0 ? "warm-up" : `round ${round}/${rounds}`}: ${party.name} ${Math.round(metrics["rps"] ?? 0)} req/s`,
      );
      await party.settle?.(count.of(party));
    },
  });
  return new Map([...results].map(([{ party }, metrics]) => [party.name, metrics]));
}
