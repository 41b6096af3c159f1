import { type CommandTable, MANY, reads, writes } from "./command.ts";
import type { Keyspace } from "./keyspace.ts";
import { type Bytes, fail, OK } from "./reply.ts";
import { replaceText, textOf } from "./strings.ts";

/**
 * HyperLogLog's commands, with exact counts: a set kept as JSON in a string, as Redis too keeps it in a string. The
 * bound on memory holds for it as for any other value.
 */
const PREFIX = "HYLL:";
const NOT_ONE = "WRONGTYPE Key is not a valid HyperLogLog string value.";

function membersOf(keys: Keyspace, key: Bytes): Set<string> {
  const text = textOf(keys, key);
  if (text === undefined) return new Set();
  if (!text.startsWith(PREFIX)) fail(NOT_ONE);
  const parsed: unknown = JSON.parse(text.slice(PREFIX.length));
  return new Set(Array.isArray(parsed) ? parsed.map(String) : []);
}

function store(keys: Keyspace, key: Bytes, members: Set<string>): void {
  replaceText(keys, key, PREFIX + JSON.stringify([...members]));
}

export const counters: CommandTable = {
  pfadd: writes(1, MANY, (keys, args) => {
    const key = args.next();
    const isNew = !keys.has(key);
    const members = membersOf(keys, key);
    const before = members.size;
    for (const member of args.rest()) members.add(member);
    if (!isNew && members.size === before) return 0;
    store(keys, key, members);
    return 1;
  }),
  pfcount: reads(
    1,
    MANY,
    (keys, args) => new Set(args.rest().flatMap((key) => [...membersOf(keys, key)])).size,
  ),
  pfmerge: writes(1, MANY, (keys, args) => {
    const destination = args.next();
    const sources = [destination, ...args.rest()];
    store(keys, destination, new Set(sources.flatMap((key) => [...membersOf(keys, key)])));
    return OK;
  }),
};
