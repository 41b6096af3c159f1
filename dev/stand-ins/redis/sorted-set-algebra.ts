import type { Arguments } from "./arguments.ts";
import type { Run } from "./command.ts";
import type { Keyspace } from "./keyspace.ts";
import { type Bytes, fail, SYNTAX, WRONG_TYPE } from "./reply.ts";
import { SetValue } from "./sets.ts";
import { withScores } from "./sorted-set-answers.ts";
import { SortedSetValue } from "./sorted-set.ts";

type Operation = "union" | "intersection" | "difference";
type Scores = Map<Bytes, number>;

interface Combination {
  sources: Scores[];
  weights: number[];
  aggregate: (a: number, b: number) => number;
}

/** inf + -inf has no value; Redis takes 0. */
const sum = (a: number, b: number): number => (Number.isNaN(a + b) ? 0 : a + b);
const AGGREGATES = { SUM: sum, MIN: Math.min, MAX: Math.max };

/** A plain set counts as one whose scores are all 1. */
function scoresOf(keys: Keyspace, key: Bytes): Scores {
  const stored = keys.any(key);
  if (stored === undefined) return new Map();
  if (stored instanceof SetValue) return new Map([...stored.members].map((member) => [member, 1]));
  return stored instanceof SortedSetValue ? stored.scores : fail(WRONG_TYPE);
}

function readCombination(keys: Keyspace, args: Arguments): Combination & { wantsScores: boolean } {
  const names = args.countedKeys();
  const found = {
    sources: names.map((name) => scoresOf(keys, name)),
    weights: names.map(() => 1),
    aggregate: sum,
    wantsScores: false,
  };
  while (args.left > 0) {
    const word = args.word("WEIGHTS", "AGGREGATE", "WITHSCORES") ?? fail(SYNTAX);
    if (word === "WITHSCORES") found.wantsScores = true;
    else if (word === "WEIGHTS")
      found.weights = names.map(() => args.float("ERR weight value is not a float"));
    else found.aggregate = AGGREGATES[args.word("SUM", "MIN", "MAX") ?? fail(SYNTAX)];
  }
  return found;
}

function combine(operation: Operation, { sources, weights, aggregate }: Combination): Scores {
  const [first = new Map<Bytes, number>(), ...others] = sources;
  if (operation === "difference") {
    return new Map([...first].filter(([member]) => !others.some((other) => other.has(member))));
  }
  const result: Scores = new Map();
  for (const [index, source] of sources.entries()) {
    for (const [member, score] of source) {
      if (operation === "intersection" && !sources.every((other) => other.has(member))) continue;
      const weighted = score * (weights[index] ?? 1) || 0;
      const known = result.get(member);
      result.set(member, known === undefined ? weighted : aggregate(known, weighted));
    }
  }
  return result;
}

export function combined(operation: Operation): Run {
  return (keys, args) => {
    const combination = readCombination(keys, args);
    const { ranked } = SortedSetValue.from(combine(operation, combination));
    return combination.wantsScores ? withScores(ranked) : ranked.map((entry) => entry.member);
  };
}

export function storeCombined(operation: Operation): Run {
  return (keys, args) => {
    const destination = args.next();
    const combination = readCombination(keys, args);
    if (combination.wantsScores) fail(SYNTAX);
    const scores = combine(operation, combination);
    keys.delete(destination);
    if (scores.size > 0) keys.set(destination, SortedSetValue.from(scores));
    return scores.size;
  };
}

export const countIntersection: Run = (keys, args) => {
  const sources = args.countedKeys().map((name) => scoresOf(keys, name));
  const limit = args.word("LIMIT") ? args.integer("ERR LIMIT can't be negative") : 0;
  args.end();
  if (limit < 0) fail("ERR LIMIT can't be negative");
  const [first = new Map<Bytes, number>()] = sources;
  const size = [...first.keys()].filter((member) =>
    sources.every((source) => source.has(member)),
  ).length;
  return limit === 0 ? size : Math.min(size, limit);
};
