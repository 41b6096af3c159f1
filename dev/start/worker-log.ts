import { createWriteStream, existsSync, renameSync, statSync, type WriteStream } from "node:fs";
import { styleText } from "node:util";

/** When a log file has this size at a start, it becomes workers.log.1. */
const MAX_LOG_BYTES = 20 * 1024 * 1024;
const REMEMBERED_LINES = 40;

// Wrangler's own lines: one for each request, the table of settings, notes on what it does.
const NOISE =
  /^\[wrangler|^(🪵|Using secrets defined|Binding |env\.|⎔|\S+ has access to the following)|^Your Worker|^─|^\s*$/;

interface LogLine {
  level?: unknown;
  event?: unknown;
  service?: unknown;
  [field: string]: unknown;
}

/**
 * Where the Workers' output goes: all of it to a file, warnings and errors to the terminal too, in a form that people
 * can read.
 */
export class WorkerLog {
  readonly file: string;
  readonly #stream: WriteStream;
  readonly #recent: string[] = [];
  #lastShown = "";
  #inNeedlessBlock = false;

  constructor(file: string) {
    this.file = file;
    if (existsSync(file) && statSync(file).size > MAX_LOG_BYTES) renameSync(file, `${file}.1`);
    this.#stream = createWriteStream(file, { flags: "a", mode: 0o600 });
    this.#stream.on("error", () => undefined); // a full disk must not end everything
  }

  /** Takes one line of what wrangler and the Workers write. */
  take(line: string, isError: boolean): void {
    this.#stream.write(`${line}\n`);
    // oxlint-disable-next-line no-control-regex -- it is control sequences that are removed
    const plain = line.replaceAll(/\u001B\[[\d;]*m/g, "");
    const text = this.#isNeedless(plain) ? undefined : readable(plain, isError);
    if (plain.trim() !== "" && !NOISE.test(plain)) {
      this.#recent.push(plain);
      if (this.#recent.length > REMEMBERED_LINES) this.#recent.shift();
    }
    if (text === undefined || text === this.#lastShown) return;
    this.#lastShown = text;
    console.error(text);
  }

  /** Wrangler indents what belongs to a warning. This one is not true here: the launcher fires the schedules. */
  #isNeedless(line: string): boolean {
    if (line.startsWith("▲"))
      this.#inNeedlessBlock = line.includes("Scheduled Workers are not automatically triggered");
    else if (!/^(\s|$)/.test(line)) this.#inNeedlessBlock = false;
    return this.#inNeedlessBlock;
  }

  /** The last lines, for when the Workers end by themselves. */
  get recent(): string {
    return this.#recent.join("\n");
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#stream.end(() => resolve()));
  }
}

/** A line for the terminal, or undefined where there is nothing that people must see. */
export function readable(line: string, isError: boolean): string | undefined {
  const entry = parse(line);
  if (!entry) return isError && !NOISE.test(line) ? line : undefined;
  const { level, event, service, time: _time, stack: _stack, ...fields } = entry;
  if (level !== "warn" && level !== "error") return undefined;
  if (event === "request" && typeof fields["status"] === "number" && fields["status"] < 500)
    return undefined;
  const details = Object.entries(fields).map(([name, value]) => `${name}=${describe(value)}`);
  const mark = level === "error" ? styleText("red", "error") : styleText("yellow", "warning");
  return [mark, String(service ?? ""), String(event), ...details].filter(Boolean).join(" ");
}

function parse(line: string): LogLine | undefined {
  // Wrangler writes in front of a line whose it is, or how bad.
  const text = line.replace(/^(\[[\w-]+\]|✘ \[ERROR\]|▲ \[WARNING\]) /, "");
  if (!text.startsWith("{")) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    // What a JSON text that begins with a brace holds is an object.
    return value as LogLine;
  } catch {
    return undefined;
  }
}

/** Errors come as objects; their message is what matters here, the rest is in the file. */
function describe(value: unknown): string {
  if (typeof value === "string") return value.includes(" ") ? JSON.stringify(value) : value;
  if (typeof value === "object" && value !== null && "message" in value)
    return JSON.stringify(value.message);
  return JSON.stringify(value) ?? "";
}
