import { type CommandTable, MANY, reads, type Run, writes } from "./command.ts";
import { readScanOptions } from "./hashes.ts";
import type { Keyspace, Stored } from "./keyspace.ts";
import { pickAny, pickDistinct } from "./random.ts";
import { type Bytes, fail, type Value } from "./reply.ts";

const MEMBER_BYTES = 48;

export class SetValue implements Stored {
  static readonly type = "set";
  readonly type = "set";
  readonly members = new Set<Bytes>();
  bytes = 0;

  get isEmpty(): boolean {
    return this.members.size === 0;
  }

  /** @returns whether the member is new */
  add(member: Bytes): boolean {
    if (this.members.has(member)) return false;
    this.members.add(member);
    this.bytes += MEMBER_BYTES + member.length;
    return true;
  }

  remove(member: Bytes): boolean {
    if (!this.members.delete(member)) return false;
    this.bytes -= MEMBER_BYTES + member.length;
    return true;
  }

  copy(): SetValue {
    const copy = new SetValue();
    for (const member of this.members) copy.add(member);
    return copy;
  }
}

type Combine = (sets: Set<Bytes>[]) => Set<Bytes>;

const union: Combine = (sets) => new Set(sets.flatMap((set) => [...set]));
const intersection: Combine = ([first = new Set(), ...others]) =>
  new Set([...first].filter((member) => others.every((set) => set.has(member))));
const difference: Combine = ([first = new Set(), ...others]) =>
  new Set([...first].filter((member) => !others.some((set) => set.has(member))));

function combine(keys: Keyspace, names: Bytes[], operation: Combine): Set<Bytes> {
  return operation(names.map((name) => keys.get(name, SetValue)?.members ?? new Set<Bytes>()));
}

function combined(operation: Combine): Run {
  return (keys, args) => [...combine(keys, args.rest(), operation)];
}

function storeCombined(operation: Combine): Run {
  return (keys, args) => {
    const destination = args.next();
    const members = combine(keys, args.rest(), operation);
    keys.delete(destination);
    if (members.size === 0) return 0;
    const result = new SetValue();
    for (const member of members) result.add(member);
    keys.set(destination, result);
    return members.size;
  };
}

const countIntersection: Run = (keys, args) => {
  const names = args.countedKeys();
  const limit = args.word("LIMIT") ? args.integer("ERR LIMIT can't be negative") : 0;
  args.end();
  if (limit < 0) fail("ERR LIMIT can't be negative");
  const { size } = combine(keys, names, intersection);
  return limit === 0 ? size : Math.min(size, limit);
};

const popMembers: Run = (keys, args): Value => {
  const set = keys.get(args.next(), SetValue);
  const single = args.left === 0;
  const count = single ? 1 : args.integer("ERR value is out of range, must be positive");
  if (count < 0) fail("ERR value is out of range, must be positive");
  const taken = pickDistinct([...(set?.members ?? [])], count);
  for (const member of taken) set?.remove(member);
  return single ? (taken[0] ?? null) : taken;
};

const randomMembers: Run = (keys, args): Value => {
  const members = [...(keys.get(args.next(), SetValue)?.members ?? [])];
  if (args.left === 0) return pickDistinct(members, 1)[0] ?? null;
  const count = args.integer();
  return count < 0 ? pickAny(members, -count) : pickDistinct(members, count);
};

const moveMember: Run = (keys, args) => {
  const source = keys.get(args.next(), SetValue);
  const destination = args.next();
  const member = args.next();
  keys.get(destination, SetValue); // a wrong type there must not cost the member
  if (!source?.remove(member)) return 0;
  keys.getOrCreate(destination, SetValue).add(member);
  return 1;
};

export const sets: CommandTable = {
  sadd: writes(2, MANY, (keys, args) => {
    const set = keys.getOrCreate(args.next(), SetValue);
    return args.rest().filter((member) => set.add(member)).length;
  }),
  srem: writes(2, MANY, (keys, args) => {
    const set = keys.get(args.next(), SetValue);
    return args.rest().filter((member) => set?.remove(member)).length;
  }),
  smembers: reads(1, 1, (keys, args) => [...(keys.get(args.next(), SetValue)?.members ?? [])]),
  scard: reads(1, 1, (keys, args) => keys.get(args.next(), SetValue)?.members.size ?? 0),
  sismember: reads(2, 2, (keys, args) =>
    keys.get(args.next(), SetValue)?.members.has(args.next()) ? 1 : 0,
  ),
  smismember: reads(2, MANY, (keys, args) => {
    const set = keys.get(args.next(), SetValue);
    return args.rest().map((member) => (set?.members.has(member) ? 1 : 0));
  }),
  spop: writes(1, 2, popMembers),
  srandmember: reads(1, 2, randomMembers),
  smove: writes(3, 3, moveMember),
  sunion: reads(1, MANY, combined(union)),
  sinter: reads(1, MANY, combined(intersection)),
  sdiff: reads(1, MANY, combined(difference)),
  sunionstore: writes(2, MANY, storeCombined(union)),
  sinterstore: writes(2, MANY, storeCombined(intersection)),
  sdiffstore: writes(2, MANY, storeCombined(difference)),
  sintercard: reads(2, MANY, countIntersection),
  sscan: reads(2, MANY, (keys, args) => {
    const members = keys.get(args.next(), SetValue)?.members ?? [];
    const { matches } = readScanOptions(args);
    return ["0", [...members].filter(matches)];
  }),
};
