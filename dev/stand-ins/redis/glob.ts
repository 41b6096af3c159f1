import type { Bytes } from "./reply.ts";

type Token = "*" | ((character: string) => boolean);

function parseClass(inner: string): (character: string) => boolean {
  const negated = inner.startsWith("^");
  const ranges: [string, string][] = [];
  for (let index = negated ? 1 : 0; index < inner.length; index += 1) {
    if (inner[index] === "\\" && index + 1 < inner.length) index += 1;
    const from = inner[index] ?? "";
    if (inner[index + 1] === "-" && index + 2 < inner.length) {
      const to = inner[index + 2] ?? "";
      ranges.push(from < to ? [from, to] : [to, from]);
      index += 2;
    } else ranges.push([from, from]);
  }
  return (character) =>
    ranges.some(([from, to]) => character >= from && character <= to) !== negated;
}

function parseGlob(pattern: Bytes): Token[] {
  const tokens: Token[] = [];
  for (let index = 0; index < pattern.length; index += 1) {
    let character = pattern[index] ?? "";
    if (character === "*") {
      if (tokens.at(-1) !== "*") tokens.push("*");
      continue;
    }
    if (character === "?") {
      tokens.push(() => true);
      continue;
    }
    if (character === "[") {
      const end = /^(?:\\[\s\S]|[^\]\\])*/.exec(pattern.slice(index + 1))?.[0] ?? "";
      tokens.push(parseClass(end));
      index += end.length + 1;
      continue;
    }
    if (character === "\\" && index + 1 < pattern.length) {
      index += 1;
      character = pattern[index] ?? "";
    }
    tokens.push((other) => other === character);
  }
  return tokens;
}

/**
 * Compiles a pattern of Redis: `*`, `?`, `[a-z]`, `[^a]` and `\` before what is meant literally. On a mismatch only
 * the last star is tried again, so that a hostile pattern can't take exponential time as a regular expression would.
 */
export function globMatcher(pattern: Bytes): (text: Bytes) => boolean {
  const tokens = parseGlob(pattern);
  return (text) => {
    let at = 0;
    let token = 0;
    let star = -1;
    let starAt = 0;
    while (at < text.length) {
      const current = tokens[token];
      if (current === "*") {
        star = token;
        starAt = at;
        token += 1;
      } else if (current?.(text[at] ?? "")) {
        at += 1;
        token += 1;
      } else if (star >= 0) {
        starAt += 1;
        at = starAt;
        token = star + 1;
      } else return false;
    }
    while (tokens[token] === "*") token += 1;
    return token === tokens.length;
  };
}
