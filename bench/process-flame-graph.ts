/**
 * Where the whole process of a workerd spends its time, JavaScript and all else: `node bench/process-flame-graph.ts
 * PID SECONDS FILE.svg` while it is under load. Needs `perf`. V8's own profiler sees JavaScript only, which is the
 * smaller part.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { flameGraph, type Frame } from "./flame-graph.ts";

const SAMPLES_PER_SECOND = 2_000;
const SCRIPT_BYTES = 1024 * 1024 * 1024;

/** Frames that stand between the others in nearly every stack, and say nothing of what is done. */
const PLUMBING =
  /^kj::_|^kj::(Function|Own|Maybe|TaskSet|runCatching|Promise)|promiseContinuation|LiftKj|withinHandleScope|StackScope|Invoke|MicrotaskQueue|RunMicrotasks|TryRunMicrotasks|cxxbridge|MaybeVoidCaller|^Builtins_(CEntry|JSEntry|CallApi|Async|Promise|Interpreter)|Builtin_HandleApi|FunctionCallbackArguments|Deferred|block_on|blockOn|with_process_context|entry::serve|_start|start_thread|clone3|TypeWrapperOps|tryUnwrap|unwrapHelper|^::|operator\(\)|^core::|^std::|^tokio::/;

const [pid = "", seconds = "", file = ""] = process.argv.slice(2);
if (file === "") throw new Error("process-flame-graph.ts PID SECONDS FILE.svg");
const run = promisify(execFile);
const folder = await mkdtemp(path.join(tmpdir(), "switchyard-bench-perf-"));
const data = path.join(folder, "perf.data");
const rate = String(SAMPLES_PER_SECOND);
await run("perf", ["record", "-F", rate, "-g", "-p", pid, "-o", data, "--", "sleep", seconds]);
const { stdout } = await run("perf", ["script", "-i", data, "-F", "ip,sym"], {
  maxBuffer: SCRIPT_BYTES,
});
await rm(folder, { recursive: true });

const root: Frame = { name: `workerd, ${seconds} s`, micros: 0, children: [] };
for (const sample of stdout.split("\n\n")) {
  const frames = sample.split("\n").flatMap((line) => /^\s+[0-9a-f]+ (.+)$/.exec(line)?.[1] ?? []);
  if (frames.length > 0) add(frames.toReversed());
}
await writeFile(file, flameGraph(root, "where the whole process spends its time"));

/** Adds a sample to the tree; its frames come from the outermost one on. */
function add(symbols: readonly string[]): void {
  let frame = root;
  frame.micros += 1e6 / SAMPLES_PER_SECOND;
  for (const name of namesOf(symbols)) {
    let child = frame.children.find((known) => known.name === name);
    if (!child) {
      child = { name, micros: 0, children: [] };
      frame.children.push(child);
    }
    child.micros += 1e6 / SAMPLES_PER_SECOND;
    frame = child;
  }
}

function namesOf(symbols: readonly string[]): string[] {
  const names = symbols.includes("start_thread") ? ["V8's threads: compiling, collecting"] : [];
  // What V8 has compiled has no symbol, nor have some frames of what is written in Rust.
  const locked = symbols.findIndex((symbol) => symbol.includes("runInContextScope"));
  for (const [index, symbol] of symbols.entries()) {
    const unknown = locked >= 0 && index > locked ? "JavaScript" : null;
    const name = symbol === "[unknown]" ? unknown : nameOf(symbol);
    if (name !== null && name !== names.at(-1)) names.push(name);
  }
  return names;
}

/** A symbol as it is shown; null for plumbing. */
function nameOf(symbol: string): string | null {
  const called = /3api\d+([A-Z]\w*?)15registerMembers.*XadL_ZNK?\w*?\d([a-z]\w*?)E/.exec(symbol);
  if (called) return `${called[1]}.${called[2]}`;
  if (symbol.startsWith("_Z")) return null;
  const name = withoutTemplates(symbol).replace(/^(workerd|v8)::(internal|api|jsg)::/, "$1::");
  return PLUMBING.test(name) || name === "" ? null : name;
}

function withoutTemplates(symbol: string): string {
  let depth = 0;
  let name = "";
  for (const character of symbol.replaceAll("(anonymous namespace)::", "")) {
    if (character === "<") depth++;
    else if (character === ">") depth = Math.max(0, depth - 1);
    else if (depth === 0) name += character;
  }
  return name.replace(/\(.*$/, "");
}
