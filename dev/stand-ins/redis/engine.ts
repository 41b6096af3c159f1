import { Arguments } from "./arguments.ts";
import { bits } from "./bits.ts";
import { Channels } from "./channels.ts";
import { type Command, MANY, reads, writes } from "./command.ts";
import { counters } from "./counters.ts";
import { hashes } from "./hashes.ts";
import { keyCommands } from "./keys.ts";
import { Keyspace, type KeyspaceOptions } from "./keyspace.ts";
import { lists } from "./lists.ts";
import { type Bytes, fail, type Value } from "./reply.ts";
import { Scripting } from "./scripting.ts";
import { sets } from "./sets.ts";
import { sortedSets } from "./sorted-sets.ts";
import { streams } from "./streams.ts";
import { strings } from "./strings.ts";

const DATA_COMMANDS = [
  strings,
  bits,
  hashes,
  lists,
  sets,
  sortedSets,
  streams,
  counters,
  keyCommands,
];

/**
 * Redis' commands over one keyspace. Everything runs to its end before anything else does, so each command, and each
 * script, is atomic.
 */
export class RedisEngine {
  readonly keyspace: Keyspace;
  readonly channels = new Channels();
  readonly #commands: ReadonlyMap<string, Command>;
  readonly #scripting = new Scripting((command, readOnly) =>
    this.#callFromScript(command, readOnly),
  );
  #inScript = false;

  constructor(options: KeyspaceOptions) {
    this.keyspace = new Keyspace(options);
    // A Map: in an object, a command named "constructor" would be found.
    this.#commands = new Map(
      [...DATA_COMMANDS, this.#ownCommands()].flatMap((table) => Object.entries(table)),
    );
  }

  /** Whether such a command exists and takes that many arguments; a transaction is checked before it runs. */
  check(command: readonly Bytes[]): Command {
    const [name = "", ...args] = command;
    const known = this.#commands.get(name.toLowerCase());
    if (!known) {
      const beginning = args.slice(0, 3).map((text) => `'${text.slice(0, 128)}' `);
      fail(
        `ERR unknown command '${name.slice(0, 128)}', with args beginning with: ${beginning.join("")}`,
      );
    }
    if (args.length < known.least || args.length > known.most) {
      fail(`ERR wrong number of arguments for '${name.toLowerCase()}' command`);
    }
    return known;
  }

  /** Runs one command. Call `begin` before the first of those that belong together. */
  run(command: readonly Bytes[]): Value {
    const known = this.check(command);
    try {
      return known.run(this.keyspace, new Arguments(command, 1));
    } finally {
      this.keyspace.settle();
      if (!this.#inScript) this.keyspace.evict();
    }
  }

  /** Sets the clock for what follows. */
  begin(): void {
    this.keyspace.tick();
  }

  #ownCommands(): Record<string, Command> {
    return {
      eval: writes(2, MANY, (_, args) => this.#inside(() => this.#scripting.evaluate(args, false))),
      eval_ro: reads(2, MANY, (_, args) =>
        this.#inside(() => this.#scripting.evaluate(args, true)),
      ),
      evalsha: writes(2, MANY, (_, args) =>
        this.#inside(() => this.#scripting.evaluateKnown(args, false)),
      ),
      evalsha_ro: reads(2, MANY, (_, args) =>
        this.#inside(() => this.#scripting.evaluateKnown(args, true)),
      ),
      script: writes(1, MANY, (_, args) => this.#scripting.manage(args)),
      publish: writes(2, 2, (_, args) => this.channels.publish(args.next(), args.next())),
    };
  }

  #inside(run: () => Value): Value {
    this.#inScript = true;
    try {
      return run();
    } finally {
      this.#inScript = false;
    }
  }

  #callFromScript(command: Bytes[], readOnly: boolean): Value {
    const name = (command[0] ?? "").toLowerCase();
    if (name.startsWith("eval") || name === "script")
      fail("ERR This Redis command is not allowed from script");
    if (readOnly && this.check(command).writes)
      fail("ERR Write commands are not allowed from read-only scripts.");
    return this.run(command);
  }
}
