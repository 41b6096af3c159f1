import { TokenFilter } from "./token-filter.ts";
import { eachMatch } from "./token-matches.ts";
import { MATCH_WEIGHTS, TOKEN_FILTER, TOKEN_FILTER_BITS, WEIGHT_UNIT } from "./token-table.ts";

let filter: TokenFilter | null = null;

/**
 * Estimates how many tokens of o200k_base a text has, without its 200,000 tokens: the text is cut into the longest
 * tokens that a Bloom filter of the most used ones knows, and each counts by a weight that was fitted for its kind.
 * A text of 4,000 characters takes about 0.2 ms, the first one about 5 ms more.
 */
export function estimateTokens(text: string): number {
  if (text === "") return 0;
  const known = (filter ??= unpackFilter());
  let weight = 0;
  eachMatch({ text, filter: known, see: (kind) => (weight += MATCH_WEIGHTS[kind] ?? 0) });
  return Math.max(1, Math.round(weight / WEIGHT_UNIT));
}

function unpackFilter(): TokenFilter {
  const binary = atob(TOKEN_FILTER);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
  return new TokenFilter(bytes, TOKEN_FILTER_BITS);
}
