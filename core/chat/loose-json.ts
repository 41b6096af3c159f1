/** A JSON object of which nothing is known yet. */
export type Fields = Record<string, unknown>;

/** The value if it is an object, else an empty one. */
export function objectOf(value: unknown): Fields {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as Fields) : {}; // an object, as checked
}

/** The value if it is a list, else an empty one. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
