import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { stripVTControlCharacters } from "node:util";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readable, WorkerLog } from "./worker-log.ts";

function shown(line: string, isError = false): string | undefined {
  const text = readable(line, isError);
  return text === undefined ? undefined : stripVTControlCharacters(text);
}

describe("what the terminal shows of the Workers' lines", () => {
  it("is warnings and errors, in a form that people read", () => {
    const line = {
      level: "error",
      time: "2026-11-21T10:00:00Z",
      event: "usage_lost",
      service: "cron",
      request_id: "req_1",
      error: { message: "no space left", stack: "at …" },
    };
    expect(shown(JSON.stringify(line))).toBe(
      'error cron usage_lost request_id=req_1 error="no space left"',
    );
    expect(shown(`[switchyard-cron] ${JSON.stringify({ ...line, level: "warn" })}`)).toMatch(
      /^warning cron usage_lost/,
    );
    expect(shown(`✘ [ERROR] ${JSON.stringify(line)}`, true)).toMatch(/^error cron usage_lost/);
    expect(shown(`▲ [WARNING] ${JSON.stringify({ ...line, level: "warn" })}`, true)).toMatch(
      /^warning cron usage_lost/,
    );
  });

  it("is nothing of what went well, nor the line of each request", () => {
    expect(shown('{"level":"info","event":"schedule_ran","service":"cron"}')).toBeUndefined();
    expect(
      shown('[switchyard-api] {"level":"warn","event":"request","status":404}'),
    ).toBeUndefined();
    expect(shown('[switchyard-api] {"level":"error","event":"request","status":500}')).toBe(
      "error request status=500",
    );
    expect(shown("[wrangler:info] GET / 200 OK (4ms)", true)).toBeUndefined();
    expect(shown("anything else on stdout")).toBeUndefined();
  });

  it("is every line of an error that is no JSON", () => {
    expect(shown('  ✘ [ERROR] Could not resolve "./nope.ts"', true)).toBe(
      '  ✘ [ERROR] Could not resolve "./nope.ts"',
    );
    expect(shown("{ not json", true)).toBe("{ not json");
  });
});

describe("the log file", () => {
  let folder: string;
  let terminal: string[];

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "switchyard-log-"));
    terminal = [];
    vi.spyOn(console, "error").mockImplementation((line: string) => void terminal.push(line));
  });
  afterEach(() => {
    vi.restoreAllMocks();
    rmSync(folder, { recursive: true, force: true });
  });

  it("has every line, and the last that matter are at hand", async () => {
    const log = new WorkerLog(path.join(folder, "workers.log"));
    log.take("[wrangler:info] GET / 200 OK (4ms)", false);
    log.take("\u001B[31m✘ Build failed\u001B[0m", true);
    log.take("\u001B[31m✘ Build failed\u001B[0m", true);
    expect(log.recent).toBe("✘ Build failed\n✘ Build failed");
    await log.close();
    expect(readFileSync(log.file, "utf8").split("\n")).toHaveLength(4);
    expect(terminal).toEqual(["✘ Build failed"]); // the same line once
  });

  it("leaves out wrangler's warning about schedules, and only that one", async () => {
    const log = new WorkerLog(path.join(folder, "workers.log"));
    const lines = [
      "▲ [WARNING] Scheduled Workers are not automatically triggered during local development.",
      "",
      "  To manually trigger",
      "",
      "▲ [WARNING] Something else",
      "",
      "  with details",
    ];
    for (const line of lines) log.take(line, true);
    await log.close();
    expect(terminal).toEqual(["▲ [WARNING] Something else", "  with details"]);
  });

  it("does not grow without end", async () => {
    const file = path.join(folder, "workers.log");
    writeFileSync(file, "x".repeat(21 * 1024 * 1024));
    const log = new WorkerLog(file);
    log.take("new", false);
    await log.close();
    expect(readFileSync(file, "utf8")).toBe("new\n");
    expect(readFileSync(`${file}.1`)).toHaveLength(21 * 1024 * 1024);
  });
});
