const DEPTH_LIMIT = 6;

type Schema = Record<string, unknown>;

/**
 * A value that a JSON schema allows, as far as its usual keywords say: what is free text is filled from the text, a
 * number from the first number in it.
 */
export function exampleOf(schema: unknown, text: string, depth = 0): unknown {
  if (typeof schema !== "object" || schema === null || depth > DEPTH_LIMIT) return null;
  const { type, properties, required, items, anyOf, oneOf, ...rest } = schema as Schema; // an object, as checked
  if ("const" in rest) return rest["const"];
  if ("default" in rest) return rest["default"];
  const allowed = rest["enum"];
  if (Array.isArray(allowed))
    return allowed.find((value) => typeof value === "string" && text.includes(value)) ?? allowed[0];
  const either = anyOf ?? oneOf;
  if (Array.isArray(either)) return exampleOf(either[0], text, depth + 1);
  switch (Array.isArray(type) ? type[0] : (type ?? (properties ? "object" : "string"))) {
    case "object":
      return objectOf(properties, required, text, depth);
    case "array":
      return [exampleOf(items, text, depth + 1)];
    case "integer":
      return Math.trunc(numberIn(text, rest));
    case "number":
      return numberIn(text, rest);
    case "boolean":
      return true;
    case "null":
      return null;
    default:
      return text;
  }
}

function objectOf(
  properties: unknown,
  required: unknown,
  text: string,
  depth: number,
): Record<string, unknown> {
  if (typeof properties !== "object" || properties === null) return {};
  const wanted = Array.isArray(required) ? new Set(required) : null;
  const chosen = Object.entries(properties).filter(([name]) => wanted === null || wanted.has(name));
  return Object.fromEntries(
    chosen.map(([name, schema]) => [name, exampleOf(schema, text, depth + 1)]),
  );
}

function numberIn(text: string, { minimum, maximum }: Schema): number {
  const found = Number(/-?\d+(?:\.\d+)?/.exec(text)?.[0] ?? 1);
  const low = typeof minimum === "number" ? minimum : -Infinity;
  const high = typeof maximum === "number" ? maximum : Infinity;
  return Math.min(high, Math.max(low, found));
}
