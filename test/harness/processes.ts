import { readdir, readFile } from "node:fs/promises";
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Ids of the processes whose parent is this one. */
export async function childProcessesOf(parent: number): Promise<number[]> {
  if (process.platform !== "linux") {
    const { stdout } = await run("pgrep", ["-P", String(parent)]).catch(() => ({ stdout: "" })); // it fails when there are none
    return stdout.split("\n").filter(Boolean).map(Number);
  }
  const children: number[] = [];
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = await readFile(`/proc/${entry}/stat`, "utf8").catch(() => ""); // it may have ended meanwhile
    const parentId = /^\d+ \(.*\) \S (\d+)/s.exec(stat)?.[1];
    if (Number(parentId) === parent) children.push(Number(entry));
  }
  return children;
}

/** Log lines as they come, to search and to wait for. */
export class LogLines {
  readonly lines: string[] = [];

  add(line: string): void {
    this.lines.push(line);
  }

  /** The lines that are JSON objects. */
  get entries(): Record<string, unknown>[] {
    return this.lines.flatMap((line) => {
      try {
        const value: unknown = JSON.parse(line);
        return typeof value === "object" && value !== null
          ? [value as Record<string, unknown>]
          : [];
      } catch {
        return [];
      }
    });
  }

  includes(text: string): boolean {
    return this.lines.some((line) => line.includes(text));
  }
}
