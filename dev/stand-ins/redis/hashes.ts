import { type Arguments, parseBigInteger, parseFloatingPoint } from "./arguments.ts";
import { type CommandTable, MANY, reads, type Run, writes } from "./command.ts";
import { globMatcher } from "./glob.ts";
import type { Stored } from "./keyspace.ts";
import { pickAny, pickDistinct } from "./random.ts";
import { type Bytes, fail, NOT_A_FLOAT, OK, SYNTAX, type Value } from "./reply.ts";
import { increment, incrementFloat } from "./strings.ts";

const FIELD_BYTES = 64;

export class HashValue implements Stored {
  static readonly type = "hash";
  readonly type = "hash";
  readonly fields = new Map<Bytes, Bytes>();
  bytes = 0;

  get isEmpty(): boolean {
    return this.fields.size === 0;
  }

  /** @returns whether the field is new */
  put(field: Bytes, text: Bytes): boolean {
    const old = this.fields.get(field);
    this.fields.set(field, text);
    this.bytes +=
      old === undefined ? FIELD_BYTES + field.length + text.length : text.length - old.length;
    return old === undefined;
  }

  remove(field: Bytes): boolean {
    const old = this.fields.get(field);
    if (old === undefined) return false;
    this.bytes -= FIELD_BYTES + field.length + old.length;
    return this.fields.delete(field);
  }

  copy(): HashValue {
    const copy = new HashValue();
    for (const [field, text] of this.fields) copy.put(field, text);
    return copy;
  }
}

/** What SCAN's relatives take: `cursor [MATCH pattern] [COUNT count] [NOVALUES]`. */
export function readScanOptions(args: Arguments): {
  matches: (text: Bytes) => boolean;
  noValues: boolean;
} {
  const cursor = args.next();
  if (!/^\d{1,20}$/.test(cursor)) fail("ERR invalid cursor");
  let matches: (text: Bytes) => boolean = () => true;
  let noValues = false;
  while (args.left > 0) {
    const word = args.word("MATCH", "COUNT", "NOVALUES");
    if (word === "MATCH") matches = globMatcher(args.next());
    else if (word === "COUNT") {
      if (args.integer() < 1) fail(SYNTAX);
    } else if (word === "NOVALUES") noValues = true;
    else fail(SYNTAX);
  }
  return { matches, noValues };
}

/**
 * The whole collection in one page, as Redis too answers for small ones: COUNT is only a hint, and one page can't miss
 * what others change meanwhile.
 */
const scanHash: Run = (keys, args) => {
  const fields = keys.get(args.next(), HashValue)?.fields ?? new Map<Bytes, Bytes>();
  const { matches, noValues } = readScanOptions(args);
  const found = [...fields].filter(([field]) => matches(field));
  return ["0", found.flatMap(([field, text]) => (noValues ? [field] : [field, text]))];
};

const put: Run = (keys, args) => {
  const key = args.next();
  const pairs = args.pairs("ERR wrong number of arguments for 'hset' command");
  const hash = keys.getOrCreate(key, HashValue);
  return pairs.filter(([field, text]) => hash.put(field, text)).length;
};

const randomField: Run = (keys, args): Value => {
  const fields = keys.get(args.next(), HashValue)?.fields;
  if (args.left === 0) return fields ? (pickDistinct([...fields.keys()], 1)[0] ?? null) : null;
  const count = args.integer();
  const withValues = args.word("WITHVALUES") !== undefined;
  args.end();
  const entries = [...(fields ?? [])];
  const picked = count < 0 ? pickAny(entries, -count) : pickDistinct(entries, count);
  return picked.flatMap(([field, text]) => (withValues ? [field, text] : [field]));
};

export const hashes: CommandTable = {
  hset: writes(3, MANY, put),
  hmset: writes(3, MANY, (keys, args) => {
    put(keys, args);
    return OK;
  }),
  hsetnx: writes(3, 3, (keys, args) => {
    const hash = keys.getOrCreate(args.next(), HashValue);
    const [field, text] = [args.next(), args.next()];
    return !hash.fields.has(field) && hash.put(field, text) ? 1 : 0;
  }),
  hget: reads(
    2,
    2,
    (keys, args) => keys.get(args.next(), HashValue)?.fields.get(args.next()) ?? null,
  ),
  hmget: reads(2, MANY, (keys, args) => {
    const hash = keys.get(args.next(), HashValue);
    return args.rest().map((field) => hash?.fields.get(field) ?? null);
  }),
  hgetall: reads(1, 1, (keys, args) =>
    [...(keys.get(args.next(), HashValue)?.fields ?? [])].flat(),
  ),
  hkeys: reads(1, 1, (keys, args) => [...(keys.get(args.next(), HashValue)?.fields.keys() ?? [])]),
  hvals: reads(1, 1, (keys, args) => [
    ...(keys.get(args.next(), HashValue)?.fields.values() ?? []),
  ]),
  hlen: reads(1, 1, (keys, args) => keys.get(args.next(), HashValue)?.fields.size ?? 0),
  hexists: reads(2, 2, (keys, args) =>
    keys.get(args.next(), HashValue)?.fields.has(args.next()) ? 1 : 0,
  ),
  hstrlen: reads(
    2,
    2,
    (keys, args) => keys.get(args.next(), HashValue)?.fields.get(args.next())?.length ?? 0,
  ),
  hdel: writes(2, MANY, (keys, args) => {
    const hash = keys.get(args.next(), HashValue);
    return args.rest().filter((field) => hash?.remove(field)).length;
  }),
  hincrby: writes(3, 3, (keys, args) => {
    const [key, field, by] = [args.next(), args.next(), parseBigInteger(args.next())];
    const current = keys.get(key, HashValue)?.fields.get(field) ?? "0";
    if (!/^-?\d+$/.test(current)) fail("ERR hash value is not an integer");
    const sum = increment(current, by);
    keys.getOrCreate(key, HashValue).put(field, String(sum));
    return Number(sum);
  }),
  hincrbyfloat: writes(3, 3, (keys, args) => {
    const [key, field, by] = [
      args.next(),
      args.next(),
      parseFloatingPoint(args.next(), NOT_A_FLOAT),
    ];
    const current = keys.get(key, HashValue)?.fields.get(field) ?? "0";
    const sum = incrementFloat(parseFloatingPoint(current, "ERR hash value is not a float"), by);
    keys.getOrCreate(key, HashValue).put(field, sum);
    return sum;
  }),
  hrandfield: reads(1, 3, randomField),
  hscan: reads(2, MANY, scanHash),
};
