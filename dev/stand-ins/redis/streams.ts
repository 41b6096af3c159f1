import { type Arguments, parseInteger } from "./arguments.ts";
import { type CommandTable, MANY, reads, type Run, writes } from "./command.ts";
import type { Stored } from "./keyspace.ts";
import { type Bytes, fail, SYNTAX, type Value } from "./reply.ts";

const ENTRY_BYTES = 80;
const BAD_ID = "ERR Invalid stream ID specified as stream command argument";

/** Milliseconds and a sequence number within them. */
type EntryId = readonly [number, number];

interface StreamEntry {
  id: EntryId;
  fields: Bytes[];
}

const LOWEST: EntryId = [0, 0];
const HIGHEST: EntryId = [Infinity, Infinity];

function compareIds(a: EntryId, b: EntryId): number {
  return a[0] - b[0] || a[1] - b[1];
}

function bytesOf({ fields }: StreamEntry): number {
  return fields.reduce((sum, field) => sum + field.length + 16, ENTRY_BYTES);
}

export class StreamValue implements Stored {
  static readonly type = "stream";
  readonly type = "stream";
  readonly isEmpty = false; // a stream outlives its entries, since it remembers its last id
  #entries: StreamEntry[] = [];
  lastId: EntryId = LOWEST;
  bytes = 0;

  get entries(): readonly StreamEntry[] {
    return this.#entries;
  }

  append(entry: StreamEntry): void {
    this.#entries.push(entry);
    this.lastId = entry.id;
    this.bytes += bytesOf(entry);
  }

  /** @returns how many went */
  keep(wanted: (entry: StreamEntry, index: number) => boolean): number {
    const before = this.#entries.length;
    this.#entries = this.#entries.filter(wanted);
    this.bytes = this.#entries.reduce((sum, entry) => sum + bytesOf(entry), 0);
    return before - this.#entries.length;
  }

  copy(): StreamValue {
    const copy = new StreamValue();
    for (const entry of this.#entries) copy.append(entry);
    copy.lastId = this.lastId;
    return copy;
  }
}

function parseId(text: Bytes, missingSequence: number): EntryId {
  const [, milliseconds, sequence] = /^(\d{1,16})(?:-(\d{1,16}))?$/.exec(text) ?? fail(BAD_ID);
  return [Number(milliseconds), sequence === undefined ? missingSequence : Number(sequence)];
}

function formatId(id: EntryId): Bytes {
  return `${id[0]}-${id[1]}`;
}

function answer({ id, fields }: StreamEntry): Value {
  return [formatId(id), fields];
}

/** The id for a new entry: `*`, `5-*`, or one that is given in full and must be above the last. */
function nextId(given: Bytes, last: EntryId, now: number): EntryId {
  if (given === "*") return now > last[0] ? [now, 0] : [last[0], last[1] + 1];
  const partial = /^(\d{1,16})-\*$/.exec(given);
  const milliseconds = Number(partial?.[1]);
  const id: EntryId = partial
    ? [milliseconds, milliseconds === last[0] ? last[1] + 1 : 0]
    : parseId(given, 0);
  if (compareIds(id, LOWEST) === 0) fail("ERR The ID specified in XADD must be greater than 0-0");
  if (compareIds(id, last) <= 0) {
    fail("ERR The ID specified in XADD is equal or smaller than the target stream top item");
  }
  return id;
}

type Trim = (stream: StreamValue) => number;

/** `MAXLEN|MINID [=|~] threshold [LIMIT count]`; an approximate trim may be exact. */
function readTrim(args: Arguments): Trim | undefined {
  const kind = args.word("MAXLEN", "MINID");
  if (kind === undefined) return undefined;
  args.word("=", "~");
  const threshold = args.next();
  if (args.word("LIMIT")) args.integer();
  if (kind === "MINID") {
    const lowest = parseId(threshold, 0);
    return (stream) => stream.keep((entry) => compareIds(entry.id, lowest) >= 0);
  }
  const length = parseInteger(threshold);
  if (length < 0) fail("ERR The MAXLEN argument must be >= 0.");
  return (stream) => {
    const first = stream.entries.length - length;
    return stream.keep((_, index) => index >= first);
  };
}

const add: Run = (keys, args) => {
  const key = args.next();
  const onlyExisting = args.word("NOMKSTREAM") !== undefined;
  const trim = readTrim(args);
  const given = args.next();
  const fields = args.rest();
  if (fields.length === 0 || fields.length % 2 === 1)
    fail("ERR wrong number of arguments for 'xadd' command");
  const known = keys.get(key, StreamValue);
  if (!known && onlyExisting) return null;
  const id = nextId(given, known?.lastId ?? LOWEST, keys.time);
  const stream = known ?? keys.getOrCreate(key, StreamValue);
  stream.append({ id, fields });
  trim?.(stream);
  return formatId(id);
};

function readBound(text: Bytes, side: "low" | "high"): { id: EntryId; exclusive: boolean } {
  if (text === "-") return { id: LOWEST, exclusive: false };
  if (text === "+") return { id: HIGHEST, exclusive: false };
  const exclusive = text.startsWith("(");
  return {
    id: parseId(exclusive ? text.slice(1) : text, side === "low" ? 0 : Infinity),
    exclusive,
  };
}

function range(reverse: boolean): Run {
  return (keys, args) => {
    const [key, first, second] = [args.next(), args.next(), args.next()];
    const [low, high] = reverse ? [second, first] : [first, second];
    const [from, to] = [readBound(low, "low"), readBound(high, "high")];
    const count = args.word("COUNT") ? args.integer() : undefined;
    args.end();
    const found = (keys.get(key, StreamValue)?.entries ?? []).filter(({ id }) => {
      const [above, below] = [compareIds(id, from.id), compareIds(id, to.id)];
      return (from.exclusive ? above > 0 : above >= 0) && (to.exclusive ? below < 0 : below <= 0);
    });
    return (reverse ? found.toReversed() : found).slice(0, count && Math.max(0, count)).map(answer);
  };
}

const readSeveral: Run = (keys, args) => {
  let count = Infinity;
  for (
    let word = args.word("COUNT", "STREAMS");
    word !== "STREAMS";
    word = args.word("COUNT", "STREAMS")
  ) {
    if (word === undefined) fail(SYNTAX); // BLOCK too: nothing may block over REST
    count = args.integer();
  }
  if (args.left === 0 || args.left % 2 === 1) {
    fail(
      "ERR Unbalanced 'xread' list of streams: for each stream key an ID, '+', or '$' must be specified.",
    );
  }
  const names = args.take(args.left / 2);
  const found = names.map((name): Value[] => {
    const given = args.next();
    const stream = keys.get(name, StreamValue);
    const after = given === "$" ? (stream?.lastId ?? LOWEST) : parseId(given, 0);
    const entries =
      given === "+"
        ? (stream?.entries.slice(-1) ?? [])
        : (stream?.entries ?? []).filter(({ id }) => compareIds(id, after) > 0);
    return entries.length > 0 ? [name, entries.slice(0, count).map(answer)] : [];
  });
  const nonEmpty = found.filter((one) => one.length > 0);
  return nonEmpty.length > 0 ? nonEmpty : null;
};

export const streams: CommandTable = {
  xadd: writes(4, MANY, add),
  xlen: reads(1, 1, (keys, args) => keys.get(args.next(), StreamValue)?.entries.length ?? 0),
  xrange: reads(3, 5, range(false)),
  xrevrange: reads(3, 5, range(true)),
  xread: reads(3, MANY, readSeveral),
  xdel: writes(2, MANY, (keys, args) => {
    const stream = keys.get(args.next(), StreamValue);
    const ids = new Set(args.rest().map((text) => formatId(parseId(text, 0))));
    return stream?.keep(({ id }) => !ids.has(formatId(id))) ?? 0;
  }),
  xtrim: writes(3, MANY, (keys, args) => {
    const stream = keys.get(args.next(), StreamValue);
    const trim = readTrim(args) ?? fail(SYNTAX);
    args.end();
    return stream ? trim(stream) : 0;
  }),
};
