import { formatNumber } from "./arguments.ts";
import type { Value } from "./reply.ts";
import type { Ranked } from "./sorted-set.ts";

/** Members and scores in turn, as the older protocol of Redis flattens them. */
export function withScores(entries: readonly Ranked[]): Value[] {
  return entries.flatMap(({ member, score }) => [member, formatNumber(score)]);
}
