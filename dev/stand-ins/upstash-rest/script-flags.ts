import { createHash } from "node:crypto";
import type { Argument, Reply } from "../redis.ts";

/** Flags that Upstash knows and Redis refuses; `@upstash/ratelimit` begins its scripts with one. */
const UPSTASH_FLAGS = new Set(["allow-key-locking"]);
const MAX_HASHES = 1_000;

function sha1(text: string): string {
  return createHash("sha1").update(text).digest("hex");
}

/** The script as Redis takes it. An empty line stays in place of the first, so that line numbers fit. */
function withoutUpstashFlags(source: string): string {
  const [first = "", flags] = /^#!lua[^\n]*?flags=([^\s]*)[^\n]*/.exec(source) ?? [];
  if (flags === undefined) return source;
  const all = flags.split(",");
  const known = all.filter((flag) => !UPSTASH_FLAGS.has(flag));
  if (known.length === all.length) return source;
  return (
    (known.length > 0 ? first.replace(flags, known.join(",")) : "") + source.slice(first.length)
  );
}

/** Lets clients use scripts with Upstash's flags: the script is changed, and its hash keeps meaning the changed one. */
export class ScriptFlags {
  /** From the hash that the client knows to the one that Redis knows. */
  readonly #hashes = new Map<string, string>();

  /** The command as the backend gets it. */
  translate(command: Argument[]): Argument[] {
    const [name, first] = [String(command[0]).toLowerCase(), String(command[1] ?? "")];
    if (name === "eval" || name === "eval_ro") return command.with(1, this.#accept(first));
    if (name === "evalsha" || name === "evalsha_ro")
      return command.length > 1 ? command.with(1, this.#hash(first)) : command;
    if (name !== "script") return command;
    const [verb, source] = [first.toLowerCase(), command[2]];
    if (verb === "load" && source !== undefined)
      return command.with(2, this.#accept(String(source)));
    if (verb === "exists")
      return [...command.slice(0, 2), ...command.slice(2).map((hash) => this.#hash(String(hash)))];
    return command;
  }

  /** What the client gets to see: SCRIPT LOAD answers with the hash of the script that the client sent. */
  answer(command: Argument[], reply: Reply): Reply {
    const isLoad =
      String(command[0]).toLowerCase() === "script" && String(command[1]).toLowerCase() === "load";
    return isLoad && Buffer.isBuffer(reply) ? Buffer.from(sha1(String(command[2]))) : reply;
  }

  #hash(given: string): string {
    return this.#hashes.get(given.toLowerCase()) ?? given;
  }

  #accept(source: string): string {
    const changed = withoutUpstashFlags(source);
    if (changed !== source) {
      this.#hashes.delete(sha1(source));
      this.#hashes.set(sha1(source), sha1(changed));
      const [oldest] = this.#hashes.keys();
      if (this.#hashes.size > MAX_HASHES && oldest !== undefined) this.#hashes.delete(oldest);
    }
    return changed;
  }
}
