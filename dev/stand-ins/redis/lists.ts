import { type Arguments, sliceBounds } from "./arguments.ts";
import { type CommandTable, MANY, reads, type Run, writes } from "./command.ts";
import type { Keyspace, Stored } from "./keyspace.ts";
import { type Bytes, fail, OK, SYNTAX, type Value } from "./reply.ts";

const ITEM_BYTES = 24;

type Side = "LEFT" | "RIGHT";

export class ListValue implements Stored {
  static readonly type = "list";
  readonly type = "list";
  #items: Bytes[] = [];
  bytes = 0;

  get items(): readonly Bytes[] {
    return this.#items;
  }

  get isEmpty(): boolean {
    return this.#items.length === 0;
  }

  push(side: Side, item: Bytes): void {
    if (side === "LEFT") this.#items.unshift(item);
    else this.#items.push(item);
    this.bytes += ITEM_BYTES + item.length;
  }

  pop(side: Side): Bytes | undefined {
    const item = side === "LEFT" ? this.#items.shift() : this.#items.pop();
    if (item !== undefined) this.bytes -= ITEM_BYTES + item.length;
    return item;
  }

  replace(items: Bytes[]): void {
    this.#items = items;
    this.bytes = items.reduce((sum, item) => sum + ITEM_BYTES + item.length, 0);
  }

  copy(): ListValue {
    const copy = new ListValue();
    copy.replace([...this.#items]);
    return copy;
  }
}

function push(side: Side, onlyExisting: boolean): Run {
  return (keys, args) => {
    const key = args.next();
    const items = args.rest();
    const list = onlyExisting ? keys.get(key, ListValue) : keys.getOrCreate(key, ListValue);
    if (!list) return 0;
    for (const item of items) list.push(side, item);
    return list.items.length;
  };
}

function takeMany(list: ListValue, side: Side, count: number): Bytes[] {
  const taken: Bytes[] = [];
  while (taken.length < count) {
    const item = list.pop(side);
    if (item === undefined) break;
    taken.push(item);
  }
  return taken;
}

function pop(side: Side): Run {
  return (keys, args) => {
    const list = keys.get(args.next(), ListValue);
    if (args.left === 0) return list?.pop(side) ?? null;
    const count = args.integer("ERR value is out of range, must be positive");
    if (count < 0) fail("ERR value is out of range, must be positive");
    return list ? takeMany(list, side, count) : null;
  };
}

function readSide(args: Arguments): Side {
  return args.word("LEFT", "RIGHT") ?? fail(SYNTAX);
}

interface Move {
  source: Bytes;
  destination: Bytes;
  from: Side;
  to: Side;
}

function move(keys: Keyspace, { source, destination, from, to }: Move): Value {
  keys.get(destination, ListValue); // a wrong type there must not cost the item
  const item = keys.get(source, ListValue)?.pop(from);
  if (item === undefined) return null;
  keys.getOrCreate(destination, ListValue).push(to, item);
  return item;
}

const popFromFirst: Run = (keys, args) => {
  const candidates = args.countedKeys();
  const side = readSide(args);
  const count = args.word("COUNT") ? args.integer() : 1;
  args.end();
  if (count < 1) fail("ERR count should be greater than 0");
  for (const key of candidates) {
    const list = keys.get(key, ListValue);
    if (list && !list.isEmpty) return [key, takeMany(list, side, count)];
  }
  return null;
};

const insert: Run = (keys, args) => {
  const key = args.next();
  const where = args.word("BEFORE", "AFTER") ?? fail(SYNTAX);
  const [pivot, item] = [args.next(), args.next()];
  const list = keys.get(key, ListValue);
  if (!list) return 0;
  const index = list.items.indexOf(pivot);
  if (index < 0) return -1;
  list.replace(list.items.toSpliced(where === "BEFORE" ? index : index + 1, 0, item));
  return list.items.length;
};

const removeEqual: Run = (keys, args) => {
  const list = keys.get(args.next(), ListValue);
  const [count, wanted] = [args.integer(), args.next()];
  if (!list) return 0;
  let left = count === 0 ? Infinity : Math.abs(count);
  const keep = (item: Bytes): boolean => {
    if (item !== wanted || left === 0) return true;
    left -= 1;
    return false;
  };
  const before = list.items.length;
  list.replace(
    count < 0 ? list.items.toReversed().filter(keep).toReversed() : list.items.filter(keep),
  );
  return before - list.items.length;
};

const position: Run = (keys, args): Value => {
  const items = keys.get(args.next(), ListValue)?.items ?? [];
  const wanted = args.next();
  let rank = 1;
  let count: number | undefined;
  let maxLength = 0;
  while (args.left > 0) {
    const word = args.word("RANK", "COUNT", "MAXLEN") ?? fail(SYNTAX);
    const value = args.integer();
    if (word === "RANK") rank = value;
    else if (value < 0) fail(`ERR ${word} can't be negative`);
    else if (word === "COUNT") count = value;
    else maxLength = value;
  }
  if (rank === 0)
    fail("ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ...");
  const indexes = items.map((_, index) => index);
  const looked = (rank < 0 ? indexes.toReversed() : indexes).slice(0, maxLength || undefined);
  const found = looked.filter((index) => items[index] === wanted).slice(Math.abs(rank) - 1);
  return count === undefined ? (found[0] ?? null) : found.slice(0, count || undefined);
};

export const lists: CommandTable = {
  lpush: writes(2, MANY, push("LEFT", false)),
  rpush: writes(2, MANY, push("RIGHT", false)),
  lpushx: writes(2, MANY, push("LEFT", true)),
  rpushx: writes(2, MANY, push("RIGHT", true)),
  lpop: writes(1, 2, pop("LEFT")),
  rpop: writes(1, 2, pop("RIGHT")),
  llen: reads(1, 1, (keys, args) => keys.get(args.next(), ListValue)?.items.length ?? 0),
  lrange: reads(3, 3, (keys, args) => {
    const items = keys.get(args.next(), ListValue)?.items ?? [];
    return items.slice(...sliceBounds(args.integer(), args.integer(), items.length));
  }),
  lindex: reads(
    2,
    2,
    (keys, args) => keys.get(args.next(), ListValue)?.items.at(args.integer()) ?? null,
  ),
  lset: writes(3, 3, (keys, args) => {
    const list = keys.get(args.next(), ListValue) ?? fail("ERR no such key");
    const [index, item] = [args.integer(), args.next()];
    if (list.items.at(index) === undefined) fail("ERR index out of range");
    list.replace(list.items.with(index, item));
    return OK;
  }),
  ltrim: writes(3, 3, (keys, args) => {
    const list = keys.get(args.next(), ListValue);
    const [first, last] = [args.integer(), args.integer()];
    list?.replace(list.items.slice(...sliceBounds(first, last, list.items.length)));
    return OK;
  }),
  lrem: writes(3, 3, removeEqual),
  linsert: writes(4, 4, insert),
  lpos: reads(2, MANY, position),
  lmove: writes(4, 4, (keys, args) => {
    const [source, destination] = [args.next(), args.next()];
    return move(keys, { source, destination, from: readSide(args), to: readSide(args) });
  }),
  rpoplpush: writes(2, 2, (keys, args) =>
    move(keys, { source: args.next(), destination: args.next(), from: "RIGHT", to: "LEFT" }),
  ),
  lmpop: writes(3, MANY, popFromFirst),
};
