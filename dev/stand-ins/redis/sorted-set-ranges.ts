import { type Arguments, parseFloatingPoint, parseInteger, sliceBounds } from "./arguments.ts";
import type { Run } from "./command.ts";
import type { Keyspace } from "./keyspace.ts";
import { type Bytes, fail, SYNTAX } from "./reply.ts";
import { withScores } from "./sorted-set-answers.ts";
import { type Ranked, SortedSetValue } from "./sorted-set.ts";

type Test = (entry: Ranked) => boolean;
type By = "INDEX" | "SCORE" | "LEX";

const NOT_A_SCORE = "ERR min or max is not a float";
const NOT_A_STRING = "ERR min or max not valid string range item";

function scoreBound(text: Bytes): { value: number; exclusive: boolean } {
  const exclusive = text.startsWith("(");
  return { value: parseFloatingPoint(exclusive ? text.slice(1) : text, NOT_A_SCORE), exclusive };
}

export function scoreBetween(low: Bytes, high: Bytes): Test {
  const [from, to] = [scoreBound(low), scoreBound(high)];
  return ({ score }) =>
    (from.exclusive ? score > from.value : score >= from.value) &&
    (to.exclusive ? score < to.value : score <= to.value);
}

/** -1 and 1 stand for before and after everything. */
function memberBound(text: Bytes): -1 | 1 | { value: Bytes; exclusive: boolean } {
  if (text === "-") return -1;
  if (text === "+") return 1;
  if (text.startsWith("[")) return { value: text.slice(1), exclusive: false };
  if (text.startsWith("(")) return { value: text.slice(1), exclusive: true };
  return fail(NOT_A_STRING);
}

export function memberBetween(low: Bytes, high: Bytes): Test {
  const [from, to] = [memberBound(low), memberBound(high)];
  return ({ member }) => {
    const above =
      typeof from === "number"
        ? from < 0
        : from.exclusive
          ? member > from.value
          : member >= from.value;
    const below =
      typeof to === "number" ? to > 0 : to.exclusive ? member < to.value : member <= to.value;
    return above && below;
  };
}

export interface Range {
  key: Bytes;
  first: Bytes;
  last: Bytes;
  by: By;
  reverse: boolean;
  limit?: { offset: number; count: number };
}

/** Entries of a range in the order that was asked for. In reverse, `first` is the upper end for scores and members. */
export function selectRange(
  keys: Keyspace,
  { key, first, last, by, reverse, limit }: Range,
): Ranked[] {
  const ascending = keys.get(key, SortedSetValue)?.ranked ?? [];
  const ordered = reverse ? ascending.toReversed() : ascending;
  if (by === "INDEX") {
    return ordered.slice(...sliceBounds(parseInteger(first), parseInteger(last), ordered.length));
  }
  const [low, high] = reverse ? [last, first] : [first, last];
  const found = ordered.filter(by === "SCORE" ? scoreBetween(low, high) : memberBetween(low, high));
  if (!limit) return found;
  if (limit.offset < 0) return [];
  return found.slice(limit.offset, limit.count < 0 ? undefined : limit.offset + limit.count);
}

interface RangeOptions {
  by: By;
  reverse: boolean;
  withScores: boolean;
  limit?: { offset: number; count: number };
}

function readRangeOptions(args: Arguments, fixed?: { by: By; reverse: boolean }): RangeOptions {
  const options: RangeOptions = {
    by: fixed?.by ?? "INDEX",
    reverse: fixed?.reverse ?? false,
    withScores: false,
  };
  while (args.left > 0) {
    const word = args.word("WITHSCORES", "LIMIT", "BYSCORE", "BYLEX", "REV") ?? fail(SYNTAX);
    if (word === "WITHSCORES") options.withScores = true;
    else if (word === "LIMIT") options.limit = { offset: args.integer(), count: args.integer() };
    else if (fixed) fail(SYNTAX);
    else if (word === "REV") options.reverse = true;
    else options.by = word === "BYSCORE" ? "SCORE" : "LEX";
  }
  if (options.limit && options.by === "INDEX") {
    fail("ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX");
  }
  if (options.withScores && options.by === "LEX") {
    fail("ERR syntax error, WITHSCORES not supported in combination with BYLEX");
  }
  return options;
}

/** ZRANGE, or one of its older forms whose name fixes order and kind. */
export function range(fixed?: { by: By; reverse: boolean }): Run {
  return (keys, args) => {
    const [key, first, last] = [args.next(), args.next(), args.next()];
    const options = readRangeOptions(args, fixed);
    const entries = selectRange(keys, { key, first, last, ...options });
    return options.withScores ? withScores(entries) : entries.map((entry) => entry.member);
  };
}

export const storeRange: Run = (keys, args) => {
  const destination = args.next();
  const [key, first, last] = [args.next(), args.next(), args.next()];
  const options = readRangeOptions(args);
  if (options.withScores) fail(SYNTAX);
  const entries = selectRange(keys, { key, first, last, ...options });
  keys.delete(destination);
  if (entries.length > 0) {
    keys.set(destination, SortedSetValue.from(entries.map(({ member, score }) => [member, score])));
  }
  return entries.length;
};

export function count(by: "SCORE" | "LEX"): Run {
  return (keys, args) =>
    selectRange(keys, {
      key: args.next(),
      first: args.next(),
      last: args.next(),
      by,
      reverse: false,
    }).length;
}

export function removeRange(by: By): Run {
  return (keys, args) => {
    const key = args.next();
    const entries = selectRange(keys, {
      key,
      first: args.next(),
      last: args.next(),
      by,
      reverse: false,
    });
    const set = keys.get(key, SortedSetValue);
    for (const { member } of entries) set?.remove(member);
    return entries.length;
  };
}
