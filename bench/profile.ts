import { readFile, writeFile } from "node:fs/promises";
import { SourceMap } from "node:module";
import { parse, join } from "node:path";
import { z } from "zod";
import type { Bench } from "./cases/case.ts";
import { checkAnswer } from "./cases/check-answer.ts";
import { flameGraph, type Frame } from "./flame-graph.ts";
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
      children: z.array(z.number()).optional(),
    }),
  ),
  samples: z.array(z.number()),
  timeDeltas: z.array(z.number()),
});

/**
 * Profiles a party's Worker under the load of a chat, streamed and not, apart from the rounds that are
 * measured, because profiling slows it. Saves `FILE-chat.cpuprofile` and `FILE-chat_stream.cpuprofile`,
 * which Chrome's and VS Code's profilers open, with a flame graph beside each (`.svg`), and returns the
 * functions that most time is spent in.
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
    await writeFile(
      path.replace(/cpuprofile$/, "svg"),
      flameGraph(frameOf(text, map), `${name}: where the api Worker's JavaScript spends its time`),
    );
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

/** The profile as one tree of functions, without the time in which nothing ran. */
function frameOf(text: string, map: SourceMap): Frame {
  const { nodes, samples, timeDeltas } = cpuProfile.parse(JSON.parse(text));
  const own = new Map<number, number>();
  samples.forEach((node, index) => {
    own.set(node, (own.get(node) ?? 0) + (timeDeltas[index] ?? 0));
  });
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const build = (id: number): Frame | null => {
    const node = byId.get(id);
    if (!node || node.callFrame.functionName === "(idle)") return null;
    const children = merged((node.children ?? []).flatMap((child) => build(child) ?? []));
    const micros = children.reduce((sum, child) => sum + child.micros, own.get(id) ?? 0);
    return { name: describe(node.callFrame, map), micros, children };
  };
  const called = new Set(nodes.flatMap(({ children = [] }) => children));
  const root = nodes.find(({ id }) => !called.has(id));
  const frame = root && build(root.id);
  if (!frame) throw new Error("a profile without a root");
  return frame;
}

/** Frames of one function as one. */
function merged(frames: Frame[]): Frame[] {
  const byName = new Map<string, Frame>();
  for (const frame of frames) {
    const known = byName.get(frame.name);
    if (!known) byName.set(frame.name, frame);
    else {
      known.micros += frame.micros;
      known.children = merged([...known.children, ...frame.children]);
    }
  }
  return [...byName.values()];
}

/** A function by its place in the source; what has no place is the runtime's own, which goes by its name. */
function describe({ functionName, lineNumber, columnNumber }: CallFrame, map: SourceMap): string {
  const entry = map.findEntry(lineNumber, columnNumber);
  if (!("originalSource" in entry) || lineNumber < 0)
    return functionName === "" ? "(native)" : functionName;
  const source = entry.originalSource.replace(/^(\.\.\/)+/, "").replace(/^.*node_modules\//, "");
  // Node's types leave the name out; without one, the bundle's own stands.
  const name = "name" in entry && typeof entry.name === "string" ? entry.name : functionName;
  return `${name === "" ? "(anonymous)" : name} ${source}:${entry.originalLine + 1}`;
}

async function readSourceMap(): Promise<SourceMap> {
  const text = await readFile(new URL("../dist/api/index.js.map", import.meta.url), "utf8");
  // The constructor checks what it is given.
  return new SourceMap(JSON.parse(text));
}
