import { type Fields, listOf, objectOf } from "./loose-json.ts";

/** How deep a schema is followed, and how much is made of it: schemas may refer to themselves, or ask for much. */
const DEPTH_LIMIT = 8;
const LENGTH_LIMIT = 20;
const VALUES_LIMIT = 1000;
/** How much of the message is read, in characters. */
const READ_LIMIT = 10_000;

/** What a value is made from: the message, and the whole schema for its `$ref`s. */
interface Source {
  text: string;
  root: Fields;
  /** How many values may still be made. */
  left: number;
}

/**
 * Makes a value for a JSON schema from a message, as well as can be without understanding it: by what the message
 * says after a property's name, its quoted texts and its numbers, else by the schema's own defaults and bounds.
 */
export function exampleOf(given: unknown, text: string): unknown {
  const schema = objectOf(given);
  const source = { text: text.slice(0, READ_LIMIT).trim(), root: schema, left: VALUES_LIMIT };
  return make(schema, source, { name: "", depth: 0 });
}

interface Place {
  /** The property's name, empty where there is none. */
  name: string;
  depth: number;
}

function make(given: unknown, source: Source, place: Place): unknown {
  if (source.left-- <= 0) return null;
  const schema = resolve(given, source.root);
  if ("const" in schema) return schema["const"];
  const choices = listOf(schema["enum"]);
  if (choices.length > 0)
    return choices.find((choice) => mentions(source.text, choice)) ?? choices[0];
  const said = sayingOf(source.text, place.name);
  switch (typeOf(schema)) {
    case "object":
      return makeObject(schema, source, place);
    case "array":
      return makeList(schema, source, place);
    case "string":
      return makeText(schema, said, source.text, place);
    case "integer":
    case "number":
      return makeNumber(schema, said ?? source.text);
    case "boolean":
      return said === null ? schema["default"] === true : /^(?:true|yes|on|1)$/i.test(said);
    default:
      return null;
  }
}

function makeObject(schema: Fields, source: Source, { depth }: Place): Fields {
  const properties = Object.entries(objectOf(schema["properties"])).slice(0, source.left);
  const required = new Set(listOf(schema["required"]));
  if (depth >= DEPTH_LIMIT) return {};
  const wanted = properties.filter(
    ([name]) => required.size === 0 || required.has(name) || sayingOf(source.text, name) !== null,
  );
  return Object.fromEntries(
    wanted.map(([name, property]) => [name, make(property, source, { name, depth: depth + 1 })]),
  );
}

function makeList(schema: Fields, source: Source, { name, depth }: Place): unknown[] {
  if (depth >= DEPTH_LIMIT) return [];
  const first = listOf(schema["prefixItems"]);
  const least = Math.min(numberOr(schema["minItems"], 1), LENGTH_LIMIT);
  const length = Math.min(
    Math.max(least, first.length),
    numberOr(schema["maxItems"], LENGTH_LIMIT),
  );
  return Array.from({ length }, (_, index) =>
    make(first[index] ?? schema["items"], source, { name, depth: depth + 1 }),
  );
}

const SAMPLES: Record<string, string> = {
  date: "2026-01-01",
  time: "12:00:00Z",
  "date-time": "2026-01-01T12:00:00Z",
  email: "someone@example.com",
  uri: "https://example.com/",
  hostname: "example.com",
  ipv4: "192.0.2.1",
  ipv6: "2001:db8::1",
  uuid: "00000000-0000-4000-8000-000000000000",
  duration: "PT1H",
};

const SHAPES: Record<string, RegExp> = {
  date: /\b\d{4}-\d\d-\d\d\b/,
  "date-time": /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)/,
  email: /[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+/,
  uri: /https?:\/\/[^\s"<>]+/,
  uuid: /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/i,
};

function makeText(schema: Fields, said: string | null, text: string, place: Place): string {
  const format = typeof schema["format"] === "string" ? schema["format"] : "";
  const sample = SAMPLES[format];
  if (sample !== undefined) return SHAPES[format]?.exec(text)?.[0] ?? sample;
  if (said !== null) return bounded(said, schema);
  for (const offered of [schema["default"], listOf(schema["examples"])[0]])
    if (typeof offered === "string") return offered;
  const quoted = /["“«„]([^"”»“„]{1,500})["”»“]/u.exec(text)?.[1];
  return bounded(quoted ?? (text === "" ? place.name || "text" : text), schema);
}

function bounded(text: string, schema: Fields): string {
  const most = Math.min(numberOr(schema["maxLength"], 500), 500);
  const least = Math.min(numberOr(schema["minLength"], 0), most);
  return text.slice(0, most).toWellFormed().padEnd(least, ".");
}

function makeNumber(schema: Fields, text: string): number {
  const found = /-?\d+(?:\.\d+)?/.exec(text)?.[0];
  const least = numberOr(schema["minimum"], numberOr(schema["exclusiveMinimum"], -Infinity));
  const most = numberOr(schema["maximum"], numberOr(schema["exclusiveMaximum"], Infinity));
  const start = found === undefined ? numberOr(schema["default"], 0) : Number(found);
  const within = Math.min(most, Math.max(least, start));
  const value = typeOf(schema) === "integer" ? Math.trunc(within) : within;
  if (value === schema["exclusiveMinimum"]) return value + 1;
  return value === schema["exclusiveMaximum"] ? value - 1 : value;
}

/** The schema behind references within the document and alternatives, of which the first that isn't null counts. */
function resolve(given: unknown, root: Fields): Fields {
  let schema = objectOf(given);
  for (let step = 0; step < DEPTH_LIMIT; step++) {
    const alternatives = [
      ...listOf(schema["anyOf"]),
      ...listOf(schema["oneOf"]),
      ...listOf(schema["allOf"]),
    ];
    if (typeof schema["$ref"] === "string") schema = pointedAt(schema["$ref"], root);
    else if (alternatives.length > 0)
      schema = objectOf(alternatives.find((one) => objectOf(one)["type"] !== "null"));
    else return schema;
  }
  return {};
}

function pointedAt(reference: string, root: Fields): Fields {
  if (!reference.startsWith("#")) return {};
  let found: unknown = root;
  for (const part of reference.slice(1).split("/").filter(Boolean)) {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    const holder = objectOf(found);
    found = Object.hasOwn(holder, key) ? holder[key] : undefined;
  }
  return objectOf(found);
}

function typeOf(schema: Fields): unknown {
  const type: unknown = Array.isArray(schema["type"])
    ? schema["type"].find((one) => one !== "null")
    : schema["type"];
  if (type !== undefined) return type;
  if ("properties" in schema) return "object";
  return "items" in schema || "prefixItems" in schema ? "array" : "string";
}

/** What a text says of a name: the quoted text or word after it, as in `city: Paris` or `city = "San José"`. */
function sayingOf(text: string, name: string): string | null {
  if (name === "") return null;
  const words = escaped(name).replaceAll(/[_-]/g, "[ _-]");
  const pattern = new RegExp(
    `(?<![\\p{L}\\p{N}_])${words}\\s{0,9}(?:[:=]|is\\s)?\\s{0,9}(?:"([^"]{1,500})"|“([^”]{1,500})”|«([^»]{1,500})»|([^\\s,;"“«]{1,200}))`,
    "iu",
  );
  const found = pattern.exec(text);
  return found?.[1] ?? found?.[2] ?? found?.[3] ?? found?.[4] ?? null;
}

const mentions = (text: string, choice: unknown) =>
  typeof choice === "string" && choice !== "" && text.toLowerCase().includes(choice.toLowerCase());

const numberOr = (value: unknown, otherwise: number) =>
  typeof value === "number" && Number.isFinite(value) ? value : otherwise;

const escaped = (text: string) => text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
