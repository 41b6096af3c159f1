import { steadyRound } from "../load/steady.ts";
import { chatAt, type PartyName } from "../parties/party.ts";
import { type Metrics, takeTurns } from "../rounds.ts";
import { models } from "../upstream/replies.ts";
import type { Bench, BenchCase } from "./case.ts";
import { checkAnswer } from "./check-answer.ts";

const ratePerSecond = 1_000;

/** What a party adds to an answer while it is not busy: the same request goes to it and straight to the upstream. */
export const chatSteady: BenchCase = {
  name: "chat_steady",
  title: `a chat completion in one piece, at a steady ${ratePerSecond} requests a second`,
  byDefault: true,
  columns: [
    { key: "rps", title: "req/s", digits: 0 },
    { key: "p50_ms", title: "p50 ms", digits: 2 },
    { key: "added_p50_ms", title: "added ms", digits: 2 },
    { key: "p99_ms", title: "p99 ms", digits: 2 },
  ],
  run,
};

async function run(bench: Bench): Promise<Map<PartyName, Metrics>> {
  const { parties, upstream, count, rounds, seconds, connections, progress } = bench;
  const asked = { model: models.burst, stream: false };
  const straight = await checkAnswer({ name: "upstream", chat: chatAt(upstream) }, asked);
  const ready = await Promise.all(
    parties.map(async (party) => ({ party, request: await checkAnswer(party, asked) })),
  );
  for (const { party } of ready) count.add(party, { answered: 1, cut: 0 });
  const steady = { connections, seconds, ratePerSecond };
  const results = await takeTurns({
    subjects: ready,
    rounds,
    measure: async ({ party, request }) => {
      const alone = await steadyRound(straight, { ...steady, seconds: Math.ceil(seconds / 2) });
      const result = await steadyRound(request, steady);
      count.add(party, result);
      const { rps, p50Ms, p99Ms } = result;
      return { rps, p50_ms: p50Ms, added_p50_ms: p50Ms - alone.p50Ms, p99_ms: p99Ms };
    },
    afterTurn: async ({ party }, round, metrics) => {
      const added = (metrics["added_p50_ms"] ?? Number.NaN).toFixed(2);
      progress(`chat_steady round ${round}/${rounds}: ${party.name} adds ${added} ms`);
      await party.settle?.(count.of(party));
    },
  });
  return new Map([...results].map(([{ party }, metrics]) => [party.name, metrics]));
}
