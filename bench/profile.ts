import { readFile, writeFile } from "node:fs/promises";
import { SourceMap } from "node:module";
import { parse, join } from "node:path";
import { z } from "zod";
import type { Bench } from "./cases/case.ts";
import { checkAnswer } from "./cases/check-answer.ts";
import type { Party } from "./parties/party.ts";
import { models } from "./upstream/replies.ts";

const shownFunctions = 15;

const cpuProfile = z.object({
  nodes: z.array(
    z.object({
      id: z.number(),
      callFrame: z.object({
        functionName: z.string(),
        url: z.string(),
        lineNumber: z.number(),
        columnNumber: z.number(),
      }),
    }),
  ),
  samples: z.array(z.number()),
  timeDeltas: z.array(z.number()),
});

/**
 * Profiles a party's Worker under the load of a chat, streamed and not, apart from the rounds that are
 * measured, because profiling slows it. Saves `FILE-chat.cpuprofile` and `FILE-chat_stream.cpuprofile`,
 * which Chrome's and VS Code's profilers open, and returns the functions that most time is spent in.
 */
export async function profileParty(
  party: Party,
  file: string,
  { load, count, connections, seconds }: Bench,
): Promise<string> {
  if (party.profile === undefined) throw new Error(`${party.name} cannot be profiled`);
  const map = await readSourceMap();
  const reports: string[] = [];
  for (const stream of [false, true]) {
    const request = await checkAnswer(party, { model: models.burst, stream });
    count.add(party, { answered: 1, cut: 0 });
    const [text, round] = await Promise.all([
      party.profile(seconds),
      load.round(request, { connections, seconds }),
    ]);
    count.add(party, round);
    const name = stream ? "chat_stream" : "chat";
    const path = profilePath(file, name);
    await writeFile(path, text);
    reports.push(`${name}: CPU profile of ${party.name} in ${path}\n${formatTop(text, map)}`);
  }
  return reports.join("\n\n");
}

function profilePath(file: string, name: string): string {
  const { dir, name: base } = parse(file);
  return join(dir, `${base}-${name}.cpuprofile`);
}

type CallFrame = z.infer<typeof cpuProfile>["nodes"][number]["callFrame"];

/** The functions with the most time of their own, as shares of the whole. */
function formatTop(text: string, map: SourceMap): string {
  const { nodes, samples, timeDeltas } = cpuProfile.parse(JSON.parse(text));
  const names = new Map(nodes.map(({ id, callFrame }) => [id, describe(callFrame, map)]));
  const own = new Map<string, number>();
  samples.forEach((node, index) => {
    const name = names.get(node) ?? "(unknown)";
    own.set(name, (own.get(name) ?? 0) + (timeDeltas[index] ?? 0));
  });
  const total = [...own.values()].reduce((sum, micros) => sum + micros, 0);
  return [...own]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, shownFunctions)
    .map(([name, micros]) => `  ${((micros / total) * 100).toFixed(1).padStart(5)} %  ${name}`)
    .join("\n");
}

/** A function by its place in the source; what has no place is the runtime's own, which goes by its name. */
function describe({ functionName, lineNumber, columnNumber }: CallFrame, map: SourceMap): string {
  const entry = map.findEntry(lineNumber, columnNumber);
  if (!("originalSource" in entry) || lineNumber < 0)
    return functionName === "" ? "(native)" : functionName;
  const source = entry.originalSource.replace(/^(\.\.\/)+/, "").replace(/^.*node_modules\//, "");
  return `${functionName === "" ? "(anonymous)" : functionName} ${source}:${entry.originalLine + 1}`;
}

async function readSourceMap(): Promise<SourceMap> {
  const text = await readFile(new URL("../dist/api/index.js.map", import.meta.url), "utf8");
  // The constructor checks what it is given.
  return new SourceMap(JSON.parse(text));
}
