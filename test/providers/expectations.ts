/** Reads of requests by servers that are as strict as the services they stand for. */

export type Fields = Record<string, unknown>;

/** A request is refused; the sentence is the service's own, as far as its documentation or users tell it. */
export class Refused extends Error {
  readonly status: number;

  constructor(message: string, status = 400) {
    super(message);
    this.status = status;
  }
}

export function fields(value: unknown, sentence: string): Fields {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields; // an object, as checked
  throw new Refused(sentence);
}

export function list(value: unknown, sentence: string): unknown[] {
  if (Array.isArray(value)) return value;
  throw new Refused(sentence);
}

export function text(value: unknown, sentence: string): string {
  if (typeof value === "string") return value;
  throw new Refused(sentence);
}

/** @throws Refused for a field that is none of these */
export function only(
  value: Fields,
  known: readonly string[],
  sentence: (name: string) => string,
): void {
  for (const name of Object.keys(value))
    if (!known.includes(name)) throw new Refused(sentence(name));
}

/** A value of a JSON schema, as a model would write it. */
export function exampleOf(schema: unknown): unknown {
  const { type, properties, items, enum: values } = fields(schema, "A schema must be an object");
  if (Array.isArray(values)) return values[0];
  switch (Array.isArray(type) ? type[0] : type) {
    case "object": {
      const named = Object.entries(fields(properties ?? {}, "properties must be an object"));
      return Object.fromEntries(named.map(([name, property]) => [name, exampleOf(property)]));
    }
    case "array":
      return items === undefined ? [] : [exampleOf(items)];
    case "number":
    case "integer":
      return 7;
    case "boolean":
      return true;
    default:
      return "Tehran";
  }
}
