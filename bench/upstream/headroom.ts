import type { Bench } from "../cases/case.ts";
import { checkAnswer } from "../cases/check-answer.ts";
import { chatAt } from "../parties/party.ts";
import { models } from "./replies.ts";

/**
 * Measures the upstream without anybody in front of it, and says it in a line: what a party cannot
 * exceed, and how far from it all of them are.
 */
export async function measureUpstream(
  upstream: string,
  { load, connections, seconds }: Bench,
): Promise<string> {
  const rates: string[] = [];
  for (const stream of [false, true]) {
    const request = await checkAnswer(
      {
        name: "upstream",
        chat: chatAt(upstream),
      },
      { model: models.burst, stream },
    );
    await load.round(request, { connections, seconds: 1 });
    const { rps, p50Ms } = await load.round(request, { connections, seconds });
    rates.push(
      `${Math.round(rps)} ${stream ? "streams" : "completions"}/s (p50 ${p50Ms.toFixed(2)} ms)`,
    );
  }
  return `the upstream alone: ${rates.join(", ")}`;
}
