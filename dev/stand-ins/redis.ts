import { RedisEngine } from "./redis/engine.ts";
import { type Bytes, RedisError, type Reply, toBytes, toReply } from "./redis/reply.ts";
import { createServerBackend } from "./redis/server-backend.ts";
import type { Argument } from "./resp.ts";

export type { Argument } from "./resp.ts";
export { RedisError, type Reply, Status } from "./redis/reply.ts";

/** What a subscriber gets: a message, and the pattern when it listens by pattern. */
export interface PublishedMessage {
  channel: string;
  message: string;
  pattern?: string;
}

export interface Subscriber {
  names: string[];
  /** Whether the names are patterns. */
  byPattern: boolean;
  deliver: (message: PublishedMessage) => void;
}

/** Something that answers Redis' commands: in this process, or a server. */
export interface RedisBackend {
  /** Runs commands one after the other. An error takes its command's place and stops none of the others. */
  execute(commands: readonly (readonly Argument[])[]): Promise<Reply[]>;
  /**
   * Runs commands as one transaction, which nothing else comes between.
   * @throws RedisError (EXECABORT) when one of them can't be queued; then none has run.
   */
  transaction(commands: readonly (readonly Argument[])[]): Promise<Reply[]>;
  /** @returns a function that ends the subscription */
  subscribe(subscriber: Subscriber): Promise<() => void>;
  close(): Promise<void>;
}

export interface RedisOptions {
  /** What may be stored before the least recently used keys go; 256 MB without it. */
  maxBytes?: number;
  /** Milliseconds since 1970; tests set it. */
  now?: () => number;
}

const DEFAULT_MAX_BYTES = 256 * 1024 * 1024;
const SWEEP_INTERVAL_MS = 1_000;

/** A Redis in this process: a cache of bounded size, gone when the process ends. */
export function createRedis({
  maxBytes = DEFAULT_MAX_BYTES,
  now = Date.now,
}: RedisOptions = {}): RedisBackend {
  const engine = new RedisEngine({ maxBytes, now });
  const sweeper = setInterval(() => engine.keyspace.sweepExpired(), SWEEP_INTERVAL_MS);
  sweeper.unref();

  const run = (command: readonly Bytes[]): Reply => {
    try {
      return toReply(engine.run(command));
    } catch (error) {
      if (error instanceof RedisError) return error;
      return new RedisError(
        `ERR internal error: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  };
  const runAll = (commands: readonly (readonly Bytes[])[]): Reply[] => {
    engine.begin();
    return commands.map(run);
  };

  return {
    execute: (commands) => Promise.resolve(runAll(commands.map(asBytes))),
    transaction(commands) {
      const queued = commands.map(asBytes);
      try {
        for (const command of queued) engine.check(command);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        const message = `EXECABORT Transaction discarded because of: ${reason}`;
        return Promise.reject(new RedisError(message));
      }
      return Promise.resolve(runAll(queued));
    },
    subscribe({ names, byPattern, deliver }) {
      const text = (bytes: Bytes): string => Buffer.from(bytes, "latin1").toString();
      const ends = names.map((name) =>
        engine.channels.subscribe(toBytes(name), byPattern, (channel, message, pattern) =>
          deliver({
            channel: text(channel),
            message: text(message),
            ...(pattern === undefined ? {} : { pattern: text(pattern) }),
          }),
        ),
      );
      return Promise.resolve(() => {
        for (const end of ends) end();
      });
    },
    close() {
      clearInterval(sweeper);
      engine.keyspace.clear();
      return Promise.resolve();
    },
  };
}

function asBytes(command: readonly Argument[]): Bytes[] {
  return command.map(toBytes);
}

/** A plain Redis server at `redis://` or `rediss://`. It connects with the first command, and again after a break. */
export function connectRedis(address: string): RedisBackend {
  return createServerBackend(new URL(address));
}
