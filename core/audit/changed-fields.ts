/** Fields of a thing, or null where it is not there: before it was made, after it was deleted. */
export type Fields = Readonly<Record<string, unknown>> | null;

/** What an entry keeps of a change. */
export interface ChangedFields {
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
  truncated: boolean;
}

/** Bytes of JSON that one field may take, and all fields of one side together. */
export const FIELD_BYTES = 1_000;
export const SIDE_BYTES = 4_000;

/** Fields that hold secrets or what could be checked against them: of these only that they changed is told. */
const SECRET = /(hash|sealed|secret|password|token|api_key)$/;
/** Fields that say nothing: they are told elsewhere in the entry, or change with everything. */
const SILENT = new Set(["id", "team_id", "epoch", "created_at", "updated_at"]);

/**
 * The fields of a thing that a change made differ, with secrets left out and long values cut. Rows may be given as they
 * are: names become snake_case, and a column that comes later is in the log without anybody thinking of it.
 * @returns null where nothing differs
 */
export function changedFields(before: Fields, after: Fields): ChangedFields | null {
  const was = toWire(before);
  const is = toWire(after);
  const differing = [...new Set([...was.keys(), ...is.keys()])].filter(
    (name) => was.get(name) !== is.get(name),
  );
  if (before !== null && after !== null && differing.length === 0) return null;
  const [one, other] = [side(was, is, differing), side(is, was, differing)];
  return {
    before: before && one.fields,
    after: after && other.fields,
    truncated: one.truncated || other.truncated,
  };
}

/** The JSON of each field by its name in the API. */
function toWire(fields: Fields): Map<string, string> {
  const wire = new Map<string, string>();
  for (const [name, value] of Object.entries(fields ?? {})) {
    const shown = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    if (!SILENT.has(shown) && value !== undefined) wire.set(shown, JSON.stringify(value));
  }
  return wire;
}

function side(own: Map<string, string>, other: Map<string, string>, differing: string[]) {
  const fields: Record<string, unknown> = {};
  let truncated = false;
  let left = SIDE_BYTES;
  for (const name of differing) {
    const json = own.get(name);
    if (json === undefined) continue;
    const secret = SECRET.test(name);
    if (secret && !other.has(name)) continue; // of what was made or deleted, that it has a secret says nothing
    const told = secret ? secretChange(json, other.get(name)) : json;
    const bytes = byteLength(name) + byteLength(told);
    const fits = byteLength(told) <= FIELD_BYTES && bytes <= left;
    fields[name] = fits ? JSON.parse(told) : `(left out: ${byteLength(told)} bytes)`;
    truncated ||= !fits;
    left -= fits ? bytes : 0;
  }
  return { fields, truncated };
}

/** Whether there was a secret at all may be told; nothing else. */
function secretChange(json: string, other: string | undefined): string {
  if (json === "null") return "null";
  return other === "null" ? '"set"' : '"changed"';
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
