import {
  type Arguments,
  formatNumber,
  parseBigInteger,
  parseFloatingPoint,
  sliceBounds,
} from "./arguments.ts";
import { type CommandTable, MANY, reads, type Run, writes } from "./command.ts";
import type { Keyspace, Stored } from "./keyspace.ts";
import { type Bytes, fail, OK, SYNTAX, type Value } from "./reply.ts";

export class StringValue implements Stored {
  static readonly type = "string";
  readonly type = "string";
  readonly isEmpty = false; // "" is a value
  readonly text: Bytes;
  constructor(text: Bytes = "") {
    this.text = text;
  }
  get bytes(): number {
    return this.text.length;
  }
  copy(): StringValue {
    return this;
  }
}

export function textOf(keys: Keyspace, key: Bytes): Bytes | undefined {
  return keys.get(key, StringValue)?.text;
}

/** Changes a value and leaves its expiry. */
export function replaceText(keys: Keyspace, key: Bytes, text: Bytes): void {
  keys.set(key, new StringValue(text), { keepExpiry: true });
}

/** One argument may make a value of half a gigabyte. */
export function checkLength(keys: Keyspace, length: number): void {
  if (length > keys.maxBytes) fail("OOM command not allowed when used memory > 'maxmemory'.");
}

interface Lifetime {
  keep: boolean;
  /** When it expires, in milliseconds since 1970. */
  at?: number;
}

/** EX, PX, EXAT, PXAT, if one comes next. */
export function readExpiry(keys: Keyspace, args: Arguments, command: string): number | undefined {
  const unit = args.word("EX", "PX", "EXAT", "PXAT");
  if (unit === undefined) return undefined;
  const amount = args.integer();
  if (amount <= 0) fail(`ERR invalid expire time in '${command}' command`);
  const milliseconds = unit.startsWith("EX") ? amount * 1000 : amount;
  return unit.endsWith("AT") ? milliseconds : keys.time + milliseconds;
}

const set: Run = (keys, args) => {
  const key = args.next();
  const text = args.next();
  const lifetime: Lifetime = { keep: false };
  let condition: "NX" | "XX" | undefined;
  let wantsOld = false;
  while (args.left > 0) {
    const at = readExpiry(keys, args, "set");
    if (at !== undefined) {
      if (lifetime.at !== undefined || lifetime.keep) fail(SYNTAX);
      lifetime.at = at;
      continue;
    }
    const word = args.word("NX", "XX", "GET", "KEEPTTL");
    if (word === undefined) fail(SYNTAX);
    if (word === "GET") wantsOld = true;
    else if (word === "KEEPTTL") {
      if (lifetime.at !== undefined) fail(SYNTAX);
      lifetime.keep = true;
    } else {
      if (condition !== undefined && condition !== word) fail(SYNTAX);
      condition = word;
    }
  }
  const old = wantsOld ? (textOf(keys, key) ?? null) : null;
  const allowed = condition === undefined || keys.has(key) === (condition === "XX");
  if (!allowed) return old;
  keys.set(key, new StringValue(text), { keepExpiry: lifetime.keep });
  if (lifetime.at !== undefined) keys.expireAt(key, lifetime.at);
  return wantsOld ? old : OK;
};

function setWithExpiry(command: string, millisecondsPerUnit: number): Run {
  return (keys, args) => {
    const [key, amount, text] = [args.next(), args.integer(), args.next()];
    if (amount <= 0) fail(`ERR invalid expire time in '${command}' command`);
    keys.set(key, new StringValue(text));
    keys.expireAt(key, keys.time + amount * millisecondsPerUnit);
    return OK;
  };
}

const getAndExpire: Run = (keys, args) => {
  const key = args.next();
  const text = textOf(keys, key);
  const persist = args.word("PERSIST") !== undefined;
  const at = persist ? undefined : readExpiry(keys, args, "getex");
  args.end();
  if (text === undefined) return null;
  if (persist || at !== undefined) keys.expireAt(key, at);
  return text;
};

export function increment(current: Bytes, by: bigint): bigint {
  const sum = parseBigInteger(current) + by;
  if (sum !== BigInt.asIntN(64, sum)) fail("ERR increment or decrement would overflow");
  return sum;
}

export function incrementFloat(current: number, by: number): Bytes {
  const sum = current + by;
  if (!Number.isFinite(sum)) fail("ERR increment would produce NaN or Infinity");
  // Redis adds in 80 bits and writes 17 digits; 15 digits give the same sums for what people add (0.1 + 0.2).
  return formatNumber(Number(sum.toPrecision(15)));
}

function addTo(keys: Keyspace, key: Bytes, by: bigint): Value {
  const sum = increment(textOf(keys, key) ?? "0", by);
  replaceText(keys, key, String(sum));
  return Number(sum);
}

const setRange: Run = (keys, args) => {
  const [key, offset, piece] = [args.next(), args.integer(), args.next()];
  if (offset < 0) fail("ERR offset is out of range");
  const text = textOf(keys, key) ?? "";
  if (piece === "") return text.length;
  checkLength(keys, offset + piece.length);
  const padded = text.padEnd(offset, "\0");
  replaceText(keys, key, padded.slice(0, offset) + piece + padded.slice(offset + piece.length));
  return Math.max(padded.length, offset + piece.length);
};

const getRange: Run = (keys, args) => {
  const text = textOf(keys, args.next()) ?? "";
  return text.slice(...sliceBounds(args.integer(), args.integer(), text.length));
};

const WRONG_NUMBER = "ERR wrong number of arguments for 'mset' command";

export const strings: CommandTable = {
  get: reads(1, 1, (keys, args) => textOf(keys, args.next()) ?? null),
  set: writes(2, MANY, set),
  setex: writes(3, 3, setWithExpiry("setex", 1000)),
  psetex: writes(3, 3, setWithExpiry("psetex", 1)),
  setnx: writes(2, 2, (keys, args) => {
    const [key, text] = [args.next(), args.next()];
    if (keys.has(key)) return 0;
    keys.set(key, new StringValue(text));
    return 1;
  }),
  getset: writes(2, 2, (keys, args) => {
    const [key, text] = [args.next(), args.next()];
    const old = textOf(keys, key) ?? null;
    keys.set(key, new StringValue(text));
    return old;
  }),
  getdel: writes(1, 1, (keys, args) => {
    const key = args.next();
    const old = textOf(keys, key) ?? null;
    keys.delete(key);
    return old;
  }),
  getex: writes(1, 3, getAndExpire),
  mget: reads(1, MANY, (keys, args) =>
    args.rest().map((key) => (keys.typeOf(key) === "string" ? (textOf(keys, key) ?? null) : null)),
  ),
  mset: writes(2, MANY, (keys, args) => {
    for (const [key, text] of args.pairs(WRONG_NUMBER)) keys.set(key, new StringValue(text));
    return OK;
  }),
  msetnx: writes(2, MANY, (keys, args) => {
    const pairs = args.pairs(WRONG_NUMBER.replace("mset", "msetnx"));
    if (pairs.some(([key]) => keys.has(key))) return 0;
    for (const [key, text] of pairs) keys.set(key, new StringValue(text));
    return 1;
  }),
  append: writes(2, 2, (keys, args) => {
    const [key, piece] = [args.next(), args.next()];
    const text = (textOf(keys, key) ?? "") + piece;
    checkLength(keys, text.length);
    replaceText(keys, key, text);
    return text.length;
  }),
  strlen: reads(1, 1, (keys, args) => textOf(keys, args.next())?.length ?? 0),
  getrange: reads(3, 3, getRange),
  substr: reads(3, 3, getRange),
  setrange: writes(3, 3, setRange),
  incr: writes(1, 1, (keys, args) => addTo(keys, args.next(), 1n)),
  decr: writes(1, 1, (keys, args) => addTo(keys, args.next(), -1n)),
  incrby: writes(2, 2, (keys, args) => addTo(keys, args.next(), parseBigInteger(args.next()))),
  decrby: writes(2, 2, (keys, args) => addTo(keys, args.next(), -parseBigInteger(args.next()))),
  incrbyfloat: writes(2, 2, (keys, args) => {
    const key = args.next();
    const sum = incrementFloat(parseFloatingPoint(textOf(keys, key) ?? "0"), args.float());
    replaceText(keys, key, sum);
    return sum;
  }),
};
