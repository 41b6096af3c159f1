import type { Json } from "../../jobs/job-type.ts";

/** A query that was made for an answer, with what it gave. */
export interface Source {
  /** `q1`, `q2` … */
  id: string;
  tool: string;
  arguments: { [name: string]: Json };
  result: Json;
}

/** A number in a source. */
export interface SourceNumber {
  source: string;
  /** Such as `result.data[0].spend`. */
  path: string;
  /** The last name in the path: which metric it is. */
  name: string;
  value: number;
  /** Whether it is a share, which people write in percent. */
  isShare: boolean;
}

/** What of the sources an answer can be traced to. */
export interface SourceFacts {
  numbers: SourceNumber[];
  /** Days, as `2026-11-03`, with where each stands. */
  dates: { day: string; source: string; path: string }[];
  /** Names with digits, which are no numbers where they are quoted. */
  names: Set<string>;
}

const SHARES = new Set(["ctr", "cvr", "roas", "relative"]);
const DAY = /^\d{4}-\d{2}(-\d{2})?$/;
const DECIMAL = /^-?\d{1,30}(\.\d{1,12})?$/;
/** Of text that is not data: it is made of the data, or about it. */
const NOT_DATA = new Set(["sentences", "url", "source", "sample", "next_cursor"]);
/** What strangers have named: never a number, whatever it looks like. */
const NAMES = new Set([
  "campaign",
  "campaign_id",
  "name",
  "ad_group",
  "ad",
  "platform",
  "channel",
  "search",
  "id",
]);
/** How many numbers one answer is traced to. */
const MOST_NUMBERS = 20_000;

/** Gathers what the sources' arguments and results hold: numbers, days, the lengths of lists and periods. */
export function gatherFacts(sources: readonly Source[]): SourceFacts {
  const facts: SourceFacts = { numbers: [], dates: [], names: new Set() };
  for (const source of sources) {
    walk(facts, source.id, "arguments", source.arguments);
    walk(facts, source.id, "result", source.result);
  }
  return facts;
}

function walk(facts: SourceFacts, source: string, path: string, value: Json): void {
  if (facts.numbers.length >= MOST_NUMBERS) return;
  const add = (name: string, number: number, at = path) =>
    facts.numbers.push({ source, path: at, name, value: number, isShare: isShare(at, name) });
  if (typeof value === "number") add(nameOf(path), value);
  else if (typeof value === "string") readText(facts, source, path, value, add);
  else if (Array.isArray(value)) {
    add("count", value.length, `${path}.length`);
    value.forEach((item, index) => walk(facts, source, `${path}[${index}]`, item));
  } else if (value !== null && typeof value === "object") {
    const { from, to } = value;
    if (typeof from === "string" && typeof to === "string" && DAY.test(from) && DAY.test(to))
      add("days", (Date.parse(to) - Date.parse(from)) / 86_400_000 + 1, `${path}.days`);
    for (const [name, item] of Object.entries(value))
      if (!NOT_DATA.has(name) && item !== undefined) walk(facts, source, `${path}.${name}`, item);
  }
}

function readText(
  facts: SourceFacts,
  source: string,
  path: string,
  text: string,
  add: (name: string, number: number) => void,
): void {
  const isName = NAMES.has(nameOf(path));
  if (isName && /\p{N}/u.test(text) && text.length >= 2) facts.names.add(text);
  if (isName) return;
  if (DAY.test(text)) facts.dates.push({ day: text, source, path });
  else if (DECIMAL.test(text)) add(nameOf(path), Number(text));
}

const nameOf = (path: string) => path.slice(path.lastIndexOf(".") + 1).replace(/\[\d+\]$/, "");
const isShare = (path: string, name: string) => SHARES.has(name) || /\.change\.\w+$/.test(path);
