import { type LoadRequest, percentile } from "../load/load.ts";
import type { PartyName } from "../parties/party.ts";
import { cpuMs } from "../process-cpu.ts";
import { type Metrics, takeTurns } from "../rounds.ts";
import { models, pacedIntervalMs, streamEvents } from "../upstream/replies.ts";
import type { Bench, BenchCase } from "./case.ts";
import { checkAnswer } from "./check-answer.ts";

/** Whether each event reaches the client as it comes, or is held back to be sent with others. */
export const streamArrival: BenchCase = {
  name: "stream_arrival",
  title: `streams whose ${streamEvents} events come ${pacedIntervalMs} ms apart; how long after its time each event arrives`,
  byDefault: true,
  columns: [
    { key: "first_ms", title: "first ms", digits: 2 },
    { key: "p50_ms", title: "p50 ms", digits: 2 },
    { key: "p99_ms", title: "p99 ms", digits: 2 },
    { key: "reads", title: "reads", digits: 0 },
    { key: "cpu_us", title: "CPU µs", digits: 0 },
  ],
  run,
};

/** Few enough that no party is busy: how late events are then is the party's own doing. */
const streams = 4;

type Arrivals = {
  /** Of the first event, and of each event after its own time; milliseconds. */
  first: number;
  delays: number[];
  /** In how many pieces the stream came. */
  reads: number;
};

async function run(bench: Bench): Promise<Map<PartyName, Metrics>> {
  const { parties, count, rounds, seconds, progress } = bench;
  const ready = await Promise.all(
    parties.map(async (party) => ({
      party,
      request: await checkAnswer(party, { model: models.paced, stream: true }),
    })),
  );
  for (const { party } of ready) count.add(party, { answered: 1, cut: 0 });
  const results = await takeTurns({
    subjects: ready,
    rounds,
    measure: async ({ party, request }) => {
      const before = await cpuMs(party.pids);
      const all = await streamFor(request, seconds);
      const cpuUs = (((await cpuMs(party.pids)) - before) * 1_000) / all.length;
      count.add(party, { answered: all.length, cut: 0 });
      const delays = Float64Array.from(all.flatMap((one) => one.delays));
      return {
        first_ms: percentile(
          Float64Array.from(all, ({ first }) => first),
          0.5,
        ),
        p50_ms: percentile(delays, 0.5),
        p99_ms: percentile(delays, 0.99),
        reads: percentile(
          Float64Array.from(all, ({ reads }) => reads),
          0.5,
        ),
        cpu_us: cpuUs,
      };
    },
    afterTurn: async ({ party }, round, metrics) => {
      const late = (metrics["p50_ms"] ?? Number.NaN).toFixed(2);
      progress(`stream_arrival round ${round}/${rounds}: ${party.name} ${late} ms`);
      await party.settle?.(count.of(party));
    },
  });
  return new Map([...results].map(([{ party }, metrics]) => [party.name, metrics]));
}

async function streamFor(request: LoadRequest, seconds: number): Promise<Arrivals[]> {
  const { url, headers, body } = request;
  const endsAt = performance.now() + seconds * 1_000;
  const all: Arrivals[] = [];
  const one = async () => {
    do all.push(await readStream(url, { method: "POST", headers, body }));
    while (performance.now() < endsAt);
  };
  await Promise.all(Array.from({ length: streams }, one));
  return all;
}

/** The upstream sends the event with number n when n pauses have gone by since the request reached it. */
async function readStream(url: string, init: RequestInit): Promise<Arrivals> {
  const sentAt = performance.now();
  const response = await fetch(url, init);
  if (!response.ok || !response.body) throw new Error(`a stream was answered ${response.status}`);
  const decoder = new TextDecoder();
  const delays: number[] = [];
  let reads = 0;
  for await (const piece of response.body) {
    const now = performance.now();
    const events = decoder.decode(piece, { stream: true }).split("data: {").length - 1;
    for (let event = 0; event < events; event++)
      delays.push(now - sentAt - delays.length * pacedIntervalMs);
    reads++;
  }
  if (delays.length < streamEvents) throw new Error(`a stream had ${delays.length} events`);
  return { first: delays[0] ?? Number.NaN, delays, reads };
}
