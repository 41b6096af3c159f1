/** Fields of messages, answers and their parts that people or models write text into, whichever provider names them so. */
const TEXT_FIELDS = new Set([
  "content",
  "text",
  "refusal",
  "reasoning",
  "reasoning_content",
  "thinking",
  "summary",
  "transcript",
  "arguments",
  "input",
  "output",
]);
/** What is in them is no text. */
const CLOSED_FIELDS = new Set(["logprobs", "image_url", "input_audio", "file"]);
/** What a provider has signed, thoughts above all: it stays as it is, or goes. */
const SEALED_FIELD = "extra_content";
/** Nothing that a client library makes is nested deeper. */
const DEEPEST = 32;

/** Where a text is: names of fields, and numbers of items. An item with an `index` goes by that. */
export type TextPath = readonly (string | number)[];

/**
 * Calls back for every text of a message or an answer and puts what comes of it in its place. Something signed in which
 * a text would change is left out: nobody would take it changed.
 * @returns the value itself where nothing changes, otherwise a copy of what is changed
 */
export function mapTexts(
  value: unknown,
  map: (text: string, path: TextPath) => string,
  path: TextPath = [],
): unknown {
  if (typeof value !== "object" || value === null || path.length > DEEPEST) return value;
  if (Array.isArray(value)) return mapItems(value, map, path);
  let copy: Record<string, unknown> | null = null;
  for (const [name, field] of Object.entries(value)) {
    if (CLOSED_FIELDS.has(name)) continue;
    const own = [...path, name];
    const mapped =
      typeof field === "string" ? mapField(field, name, map, own) : mapTexts(field, map, own);
    if (mapped === field) continue;
    copy ??= { ...value };
    if (name === SEALED_FIELD) delete copy[name];
    else copy[name] = mapped;
  }
  for (const symbol of Object.getOwnPropertySymbols(value)) {
    // What one API has besides the others hangs on a message by a symbol, thoughts and their signatures too.
    const field: unknown = Reflect.get(value, symbol);
    if (mapTexts(field, map, [...path, SEALED_FIELD]) === field) continue;
    copy ??= { ...value };
    Reflect.deleteProperty(copy, symbol);
  }
  return copy ?? value;
}

/** Whether a text is part of something signed, which comes whole. */
export const isSealed = (path: TextPath) => path.includes(SEALED_FIELD);

function mapField(
  text: string,
  name: string,
  map: (text: string, path: TextPath) => string,
  path: TextPath,
): string {
  return TEXT_FIELDS.has(name) ? map(text, path) : text;
}

function mapItems(
  items: readonly unknown[],
  map: (text: string, path: TextPath) => string,
  path: TextPath,
): unknown {
  const last = path.at(-1);
  const areTexts = typeof last === "string" && TEXT_FIELDS.has(last);
  const mapped = items.map((item, place) => {
    const own = [...path, placeOf(item, place)];
    if (typeof item === "string") return areTexts ? map(item, own) : item;
    return mapTexts(item, map, own);
  });
  return mapped.some((item, place) => item !== items[place]) ? mapped : items;
}

function placeOf(item: unknown, place: number): number {
  const index = typeof item === "object" && item !== null ? Reflect.get(item, "index") : null;
  return typeof index === "number" ? index : place;
}

/** Whether a text is JSON by what it is for: arguments of a tool are. */
export const isJsonField = (path: TextPath) => path.at(-1) === "arguments";
