// What guard rails cost: text through the matcher, and events through a stream. `node bench/guard-rails.ts`
import { compileGuardRails, type Rails } from "../core/guard-rails/guard-rails.ts";
import { guardStream } from "../core/guard-rails/guard-stream.ts";
import { guardRail } from "../core/guard-rails/rules.ts";
import { TextFilter } from "../core/guard-rails/text-filter.ts";
import { PII_KINDS } from "../core/guard-rails/pii.ts";

const SENTENCES =
  "The quick brown fox jumps over the lazy dog; it costs 1,234.56 dollars on 2026-11-21. " +
  "Write to ada@example.org or call the office, they answer within a day or two. " +
  "Die Straße ist naß, und der Fuchs schläft. این متن فارسی است و طولانی نیست. ";
const TEXT = SENTENCES.repeat(Math.ceil(8_000_000 / SENTENCES.length));
const BYTES = new TextEncoder().encode(TEXT).length;
/** What a model sends at once, about a token, in characters. */
const PIECE = 5;
const ROUNDS = 5;

const phrases = (count: number) =>
  Array.from({ length: count }, (_, index) => `secret name ${index * 7919}`);

const cases: Record<string, Rails> = {
  "10 phrases": railsOf({ name: "x", phrases: phrases(10), action: "deny" }),
  "10,000 phrases": railsOf({ name: "x", phrases: phrases(10_000), action: "deny" }),
  "a pattern": railsOf({ name: "x", pattern: "\\bTICKET-\\d{4,8}\\b", action: "mask" }),
  "e-mail addresses": railsOf({ name: "x", pii: ["email"], action: "mask" }),
  "all personal data": railsOf({ name: "x", pii: [...PII_KINDS], action: "mask" }),
  "all of it": railsOf(
    { name: "a", phrases: phrases(10_000), action: "deny" },
    { name: "b", pii: [...PII_KINDS], action: "mask" },
  ),
};

function railsOf(...rules: Parameters<typeof guardRail.parse>[0][]): Rails {
  const { input } = compileGuardRails(
    rules.map((rule) => guardRail.parse(rule)),
    "bench",
  );
  if (!input) throw new Error("There is no rule");
  return input;
}

/** Milliseconds of this process's own time: what else the machine does must not count. */
function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

function wholeMs(rails: Rails): number {
  const begun = processorMs();
  const filter = new TextFilter(rails);
  filter.push(TEXT);
  filter.end();
  return processorMs() - begun;
}

function piecesMs(rails: Rails): number {
  const begun = processorMs();
  const filter = new TextFilter(rails);
  for (let at = 0; at < TEXT.length; at += PIECE) filter.push(TEXT.slice(at, at + PIECE));
  filter.end();
  return processorMs() - begun;
}

const EVENTS = 20_000;
const encoder = new TextEncoder();
const events = Array.from({ length: EVENTS }, (_, index) =>
  encoder.encode(
    `data: ${JSON.stringify({
      id: "chatcmpl-1",
      object: "chat.completion.chunk",
      created: 1,
      model: "m",
      choices: [
        {
          index: 0,
          delta: { content: TEXT.slice(index * PIECE, (index + 1) * PIECE) },
          finish_reason: null,
        },
      ],
    })}\n\n`,
  ),
);

async function eventsMs(rails: Rails): Promise<number> {
  const begun = processorMs();
  let next = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const event = events[next++];
      if (event) controller.enqueue(event);
      else controller.close();
    },
  });
  const form = { choices: 1, jsonContent: false };
  const guarded = guardStream({ rails, form, body, head: [], abort() {}, now: Date.now });
  const reader = guarded.body.getReader();
  while (!(await reader.read()).done);
  return processorMs() - begun;
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
async function timed(run: () => number | Promise<number>): Promise<number> {
  await run(); // the first makes the automaton
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) times.push(await run());
  return median(times);
}

console.log(
  `| rules | whole text, MB/s | in pieces of ${PIECE} characters, MB/s | an event of a stream, µs |`,
);
console.log("|---|---|---|---|");
for (const [name, rails] of Object.entries(cases)) {
  const whole = BYTES / 1_000 / (await timed(() => wholeMs(rails)));
  const pieces = BYTES / 1_000 / (await timed(() => piecesMs(rails)));
  const event = ((await timed(() => eventsMs(rails))) * 1_000) / EVENTS;
  console.log(`| ${name} | ${whole.toFixed(0)} | ${pieces.toFixed(0)} | ${event.toFixed(1)} |`);
}
