import { loadSignal, type Signal } from "#core/switches/signal.ts";
import type { SignalSources } from "#core/switches/signal-board.ts";
import { refuseWritesIfOff } from "#core/switches/switches.ts";
import { openDatabase } from "#platform/database.ts";
import type { AppContext } from "./app-types.ts";

export const SIGNAL_KEY = "signal:1";
/** Long after it is believed as news, it is still better than nothing while Postgres is down. In seconds. */
export const SIGNAL_SECONDS = 600;

/** What is switched off, no more than a second out of date. A warm request gets it without waiting. */
export function signalOf(c: AppContext): Signal | Promise<Signal> {
  const { signals } = c.get("deps");
  return signals.at(Date.now()) ?? signals.current(sourcesOf(c));
}

function sourcesOf(c: AppContext): SignalSources {
  const { cache, settings } = c.get("deps");
  return {
    readCache: () => cache.get<Signal>(SIGNAL_KEY),
    writeCache: (signal) => cache.set(SIGNAL_KEY, signal, SIGNAL_SECONDS),
    load: () => loadSignal(openDatabase(settings), Date.now()),
    background: (work) => c.executionCtx.waitUntil(work),
    now: Date.now,
  };
}

/** Requests for models, which go on while changes are refused. */
const MODEL_PATHS =
  /^\/v1\/(chat|chat\/completions|completions|embeddings|messages|messages\/count_tokens|responses|responses\/compact|responses\/input_tokens|campaigns\/ask)$/;
/** What is posted and changes nothing; of skills, each says for itself whether it does. */
const READING_PATHS = /^\/v1\/(vin\/batch|skills\/[^/]+)$/;
/** Each tool says for itself whether it changes something. */
const MCP = "/mcp";
/** The way back. */
const SWITCHES = "/v1/admin/switches";

/** @throws AppError `read_only` for what would change something while changes are switched off */
export function refuseChanges(c: AppContext, signal: Signal): void {
  if (!signal.writesOff || c.req.method === "GET" || c.req.method === "HEAD") return;
  const { path } = c.req;
  if (path === SWITCHES || path === MCP || MODEL_PATHS.test(path)) return;
  if (c.req.method === "POST" && READING_PATHS.test(path)) return;
  refuseWritesIfOff(signal);
}
