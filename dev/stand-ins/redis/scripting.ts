import type { Arguments } from "./arguments.ts";
import { LuaMachine, sha1 } from "./lua/machine.ts";
import { type Bytes, fail, OK, type Value } from "./reply.ts";

/** Clients load the same few scripts again and again; a client that makes up new ones must not fill the memory. */
const MAX_SCRIPTS = 1_000;

/** Runs one command inside of a script. */
export type CallFromScript = (command: Bytes[], readOnly: boolean) => Value;

/** EVAL and its relatives, with the cache of scripts that EVALSHA draws from. */
export class Scripting {
  readonly #machine = new LuaMachine();
  readonly #scripts = new Map<string, Bytes>();
  readonly #call: CallFromScript;

  constructor(call: CallFromScript) {
    this.#call = call;
  }

  evaluate(args: Arguments, readOnly: boolean): Value {
    const source = args.next();
    this.#remember(source);
    return this.#run(source, args, readOnly);
  }

  evaluateKnown(args: Arguments, readOnly: boolean): Value {
    const hash = args.next().toLowerCase();
    const source = this.#scripts.get(hash) ?? fail("NOSCRIPT No matching script. Please use EVAL.");
    this.#remember(source);
    return this.#run(source, args, readOnly);
  }

  /** SCRIPT LOAD, EXISTS and FLUSH. */
  manage(args: Arguments): Value {
    const verb =
      args.word("LOAD", "EXISTS", "FLUSH") ?? fail("ERR unknown subcommand. Try SCRIPT HELP.");
    if (verb === "EXISTS")
      return args.rest().map((hash) => (this.#scripts.has(hash.toLowerCase()) ? 1 : 0));
    if (verb === "FLUSH") {
      this.#scripts.clear();
      return OK;
    }
    const source = args.next();
    this.#machine.compile(source);
    return this.#remember(source);
  }

  #run(source: Bytes, args: Arguments, readOnly: boolean): Value {
    const count = args.integer();
    if (count < 0) fail("ERR Number of keys can't be negative");
    if (count > args.left) fail("ERR Number of keys can't be greater than number of args");
    const keys = args.take(count);
    const flags = /^#!lua[^\n]*\bflags=\S*no-writes/.test(source);
    const call = (command: Bytes[]): Value => this.#call(command, readOnly || flags);
    return this.#machine.run({ source, keys, args: args.rest(), call });
  }

  #remember(source: Bytes): string {
    const hash = sha1(source);
    this.#scripts.delete(hash);
    this.#scripts.set(hash, source);
    for (const oldest of this.#scripts.keys()) {
      if (this.#scripts.size <= MAX_SCRIPTS) break;
      this.#scripts.delete(oldest);
    }
    return hash;
  }
}
