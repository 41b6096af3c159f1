import { type CommandTable, MANY, reads, type Run, writes } from "./command.ts";
import { globMatcher } from "./glob.ts";
import type { Keyspace } from "./keyspace.ts";
import { pickDistinct } from "./random.ts";
import { type Bytes, fail, OK, Status, SYNTAX } from "./reply.ts";

const remove: Run = (keys, args) =>
  args.rest().filter((key) => keys.has(key) && keys.delete(key)).length;

function expire(command: string, millisecondsPerUnit: number, isAbsolute: boolean): Run {
  return (keys, args) => {
    const [key, amount] = [args.next(), args.integer() * millisecondsPerUnit];
    const at = isAbsolute ? amount : keys.time + amount;
    if (!Number.isSafeInteger(at)) fail(`ERR invalid expire time in '${command}' command`);
    const condition =
      args.left > 0 ? (args.word("NX", "XX", "GT", "LT") ?? fail(SYNTAX)) : undefined;
    args.end();
    if (!keys.has(key)) return 0;
    const current = keys.expiryOf(key);
    if (condition === "NX" && current !== undefined) return 0;
    if (condition === "XX" && current === undefined) return 0;
    // A key without an expiry lives longer than any that has one.
    if (condition === "GT" && at <= (current ?? Infinity)) return 0;
    if (condition === "LT" && at >= (current ?? Infinity)) return 0;
    keys.expireAt(key, at);
    return 1;
  };
}

function timeLeft(millisecondsPerUnit: number): Run {
  return (keys, args) => {
    const key = args.next();
    if (!keys.has(key)) return -2;
    const expiry = keys.expiryOf(key);
    return expiry === undefined ? -1 : Math.round((expiry - keys.time) / millisecondsPerUnit);
  };
}

function expiryTime(millisecondsPerUnit: number): Run {
  return (keys, args) => {
    const key = args.next();
    if (!keys.has(key)) return -2;
    const expiry = keys.expiryOf(key);
    return expiry === undefined ? -1 : Math.floor(expiry / millisecondsPerUnit);
  };
}

function moveKey(keys: Keyspace, from: Bytes, to: Bytes): void {
  const stored = keys.any(from) ?? fail("ERR no such key");
  if (from === to) return;
  const expiry = keys.expiryOf(from);
  keys.delete(from);
  keys.set(to, stored);
  if (expiry !== undefined) keys.expireAt(to, expiry);
}

const copy: Run = (keys, args) => {
  const [from, to] = [args.next(), args.next()];
  const replace = args.word("REPLACE") !== undefined;
  args.end();
  const stored = keys.any(from);
  if (!stored || (keys.has(to) && !replace)) return 0;
  if (from === to) fail("ERR source and destination objects are the same");
  keys.set(to, stored.copy());
  keys.expireAt(to, keys.expiryOf(from));
  return 1;
};

const scan: Run = (keys, args) => {
  const cursor = args.integer("ERR invalid cursor");
  let matches: (key: Bytes) => boolean = () => true;
  let count = 10;
  let type: string | undefined;
  let withTypes = false;
  while (args.left > 0) {
    const word = args.word("MATCH", "COUNT", "TYPE", "WITHTYPE") ?? fail(SYNTAX);
    if (word === "MATCH") matches = globMatcher(args.next());
    else if (word === "TYPE") type = args.next().toLowerCase();
    else if (word === "WITHTYPE") withTypes = true; // Upstash's own
    else count = args.integer();
  }
  if (count < 1) fail(SYNTAX);
  const page = keys.scan(cursor, count);
  const found = page.keys.filter(
    (key) => matches(key) && (type === undefined || keys.typeOf(key) === type),
  );
  return [String(page.cursor), withTypes ? found.flatMap((key) => [key, keys.typeOf(key)]) : found];
};

const flush: Run = (keys, args) => {
  args.word("SYNC", "ASYNC");
  args.end();
  keys.clear();
  return OK;
};

export const keyCommands: CommandTable = {
  del: writes(1, MANY, remove),
  unlink: writes(1, MANY, remove),
  exists: reads(1, MANY, (keys, args) => args.rest().filter((key) => keys.has(key)).length),
  touch: reads(
    1,
    MANY,
    (keys, args) => args.rest().filter((key) => keys.any(key) !== undefined).length,
  ),
  type: reads(1, 1, (keys, args) => new Status(keys.typeOf(args.next()))),
  expire: writes(2, 3, expire("expire", 1000, false)),
  pexpire: writes(2, 3, expire("pexpire", 1, false)),
  expireat: writes(2, 3, expire("expireat", 1000, true)),
  pexpireat: writes(2, 3, expire("pexpireat", 1, true)),
  ttl: reads(1, 1, timeLeft(1000)),
  pttl: reads(1, 1, timeLeft(1)),
  expiretime: reads(1, 1, expiryTime(1000)),
  pexpiretime: reads(1, 1, expiryTime(1)),
  persist: writes(1, 1, (keys, args) => {
    const key = args.next();
    if (keys.expiryOf(key) === undefined) return 0;
    keys.expireAt(key, undefined);
    return 1;
  }),
  rename: writes(2, 2, (keys, args) => {
    moveKey(keys, args.next(), args.next());
    return OK;
  }),
  renamenx: writes(2, 2, (keys, args) => {
    const [from, to] = [args.next(), args.next()];
    if (!keys.has(from)) fail("ERR no such key");
    if (keys.has(to)) return 0;
    moveKey(keys, from, to);
    return 1;
  }),
  copy: writes(2, 3, copy),
  keys: reads(1, 1, (keys, args) => keys.keys().filter(globMatcher(args.next()))),
  scan: reads(1, MANY, scan),
  randomkey: reads(0, 0, (keys) => pickDistinct(keys.keys(), 1)[0] ?? null),
  dbsize: reads(0, 0, (keys) => keys.size),
  flushdb: writes(0, 1, flush),
  flushall: writes(0, 1, flush),
  ping: reads(0, 1, (_, args) => (args.left > 0 ? args.next() : new Status("PONG"))),
  echo: reads(1, 1, (_, args) => args.next()),
  time: reads(0, 0, (keys) => [
    String(Math.floor(keys.time / 1000)),
    String((keys.time % 1000) * 1000),
  ]),
};
