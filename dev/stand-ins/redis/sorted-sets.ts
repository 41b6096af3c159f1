import { type Arguments, formatNumber, parseFloatingPoint } from "./arguments.ts";
import { type CommandTable, MANY, reads, type Run, writes } from "./command.ts";
import { readScanOptions } from "./hashes.ts";
import { pickAny, pickDistinct } from "./random.ts";
import { type Bytes, fail, SYNTAX, type Value } from "./reply.ts";
import { combined, countIntersection, storeCombined } from "./sorted-set-algebra.ts";
import { withScores } from "./sorted-set-answers.ts";
import { count, range, removeRange, storeRange } from "./sorted-set-ranges.ts";
import { SortedSetValue } from "./sorted-set.ts";

interface AddOptions {
  onlyNew: boolean;
  onlyKnown: boolean;
  onlyGreater: boolean;
  onlyLess: boolean;
  countChanged: boolean;
  increment: boolean;
}

function readAddOptions(args: Arguments): AddOptions {
  const words = new Set<string>();
  for (let word = takeAddWord(args); word; word = takeAddWord(args)) words.add(word);
  const [onlyNew, onlyKnown] = [words.has("NX"), words.has("XX")];
  const [onlyGreater, onlyLess] = [words.has("GT"), words.has("LT")];
  if (onlyNew && onlyKnown) fail("ERR XX and NX options at the same time are not compatible");
  if ((onlyGreater && onlyLess) || (onlyNew && (onlyGreater || onlyLess))) {
    fail("ERR GT, LT, and/or NX options at the same time are not compatible");
  }
  return {
    onlyNew,
    onlyKnown,
    onlyGreater,
    onlyLess,
    countChanged: words.has("CH"),
    increment: words.has("INCR"),
  };
}

function takeAddWord(args: Arguments): string | undefined {
  return args.word("NX", "XX", "GT", "LT", "CH", "INCR");
}

function mayChange(options: AddOptions, old: number | undefined, score: number): boolean {
  if (old === undefined) return !options.onlyKnown;
  if (options.onlyNew) return false;
  return !(options.onlyGreater && score <= old) && !(options.onlyLess && score >= old);
}

const add: Run = (keys, args): Value => {
  const key = args.next();
  const options = readAddOptions(args);
  // Every score is checked before anything changes.
  const entries = args
    .pairs()
    .map(([score, member]) => ({ member, score: parseFloatingPoint(score) }));
  if (entries.length === 0) fail(SYNTAX);
  if (options.increment && entries.length > 1)
    fail("ERR INCR option supports a single increment-element pair");
  const set = keys.getOrCreate(key, SortedSetValue);
  let added = 0;
  let changed = 0;
  for (const { member, score: given } of entries) {
    const old = set.scores.get(member);
    const score = options.increment ? (old ?? 0) + given : given;
    if (Number.isNaN(score)) fail("ERR resulting score is not a number (NaN)");
    const allowed = mayChange(options, old, score);
    if (options.increment && !allowed) return null;
    if (allowed && score !== old) {
      set.put(member, score);
      if (old === undefined) added += 1;
      else changed += 1;
    }
    if (options.increment) return formatNumber(score);
  }
  return options.countChanged ? added + changed : added;
};

const incrementScore: Run = (keys, args) => {
  const set = keys.getOrCreate(args.next(), SortedSetValue);
  const [by, member] = [args.float(), args.next()];
  const score = (set.scores.get(member) ?? 0) + by;
  if (Number.isNaN(score)) fail("ERR resulting score is not a number (NaN)");
  set.put(member, score);
  return formatNumber(score);
};

function rank(reverse: boolean): Run {
  return (keys, args): Value => {
    const set = keys.get(args.next(), SortedSetValue);
    const member = args.next();
    const wantsScore = args.word("WITHSCORE") !== undefined;
    args.end();
    const place = set?.rankOf(member);
    if (!set || place === undefined) return null;
    const found = reverse ? set.scores.size - 1 - place : place;
    return wantsScore ? [found, formatNumber(set.scores.get(member) ?? 0)] : found;
  };
}

function pop(reverse: boolean): Run {
  return (keys, args) => {
    const set = keys.get(args.next(), SortedSetValue);
    const wanted = args.left > 0 ? args.integer("ERR value is out of range, must be positive") : 1;
    if (wanted < 0) fail("ERR value is out of range, must be positive");
    const ranked = set?.ranked ?? [];
    const taken = (reverse ? ranked.toReversed() : ranked).slice(0, wanted);
    for (const { member } of taken) set?.remove(member);
    return withScores(taken);
  };
}

const randomMembers: Run = (keys, args): Value => {
  const entries = keys.get(args.next(), SortedSetValue)?.ranked ?? [];
  if (args.left === 0) return pickDistinct(entries, 1)[0]?.member ?? null;
  const wanted = args.integer();
  const wantsScores = args.word("WITHSCORES") !== undefined;
  args.end();
  const picked = wanted < 0 ? pickAny(entries, -wanted) : pickDistinct(entries, wanted);
  return wantsScores ? withScores(picked) : picked.map((entry) => entry.member);
};

function scoreOrNull(score: number | undefined): Bytes | null {
  return score === undefined ? null : formatNumber(score);
}

export const sortedSets: CommandTable = {
  zadd: writes(3, MANY, add),
  zincrby: writes(3, 3, incrementScore),
  zscore: reads(2, 2, (keys, args) =>
    scoreOrNull(keys.get(args.next(), SortedSetValue)?.scores.get(args.next())),
  ),
  zmscore: reads(2, MANY, (keys, args) => {
    const set = keys.get(args.next(), SortedSetValue);
    return args.rest().map((member) => scoreOrNull(set?.scores.get(member)));
  }),
  zcard: reads(1, 1, (keys, args) => keys.get(args.next(), SortedSetValue)?.scores.size ?? 0),
  zrem: writes(2, MANY, (keys, args) => {
    const set = keys.get(args.next(), SortedSetValue);
    return args.rest().filter((member) => set?.remove(member)).length;
  }),
  zrank: reads(2, 3, rank(false)),
  zrevrank: reads(2, 3, rank(true)),
  zrange: reads(3, MANY, range()),
  zrangestore: writes(4, MANY, storeRange),
  zrevrange: reads(3, 4, range({ by: "INDEX", reverse: true })),
  zrangebyscore: reads(3, MANY, range({ by: "SCORE", reverse: false })),
  zrevrangebyscore: reads(3, MANY, range({ by: "SCORE", reverse: true })),
  zrangebylex: reads(3, MANY, range({ by: "LEX", reverse: false })),
  zrevrangebylex: reads(3, MANY, range({ by: "LEX", reverse: true })),
  zcount: reads(3, 3, count("SCORE")),
  zlexcount: reads(3, 3, count("LEX")),
  zremrangebyrank: writes(3, 3, removeRange("INDEX")),
  zremrangebyscore: writes(3, 3, removeRange("SCORE")),
  zremrangebylex: writes(3, 3, removeRange("LEX")),
  zpopmin: writes(1, 2, pop(false)),
  zpopmax: writes(1, 2, pop(true)),
  zrandmember: reads(1, 3, randomMembers),
  zunion: reads(2, MANY, combined("union")),
  zinter: reads(2, MANY, combined("intersection")),
  zdiff: reads(2, MANY, combined("difference")),
  zunionstore: writes(3, MANY, storeCombined("union")),
  zinterstore: writes(3, MANY, storeCombined("intersection")),
  zdiffstore: writes(3, MANY, storeCombined("difference")),
  zintercard: reads(2, MANY, countIntersection),
  zscan: reads(2, MANY, (keys, args) => {
    const entries = keys.get(args.next(), SortedSetValue)?.ranked ?? [];
    const { matches } = readScanOptions(args);
    return ["0", withScores(entries.filter(({ member }) => matches(member)))];
  }),
};
