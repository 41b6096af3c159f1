/** What each kind of thing is called in its id. */
const PREFIXES = {
  team: "team",
  member: "mem",
  key: "key",
  session: "sess",
  message: "msg",
  request: "req",
  usageBatch: "batch",
  scheduleRun: "run",
  limit: "lim",
  lease: "lease",
  credit: "crd",
  completion: "chatcmpl",
  trace: "trace",
  auditEntry: "aud",
} as const;

export type IdKind = keyof typeof PREFIXES;

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"; // Crockford's base 32, in ASCII order, so that ids sort by time

/**
 * A new id, such as `key_01kah6…`: 48 bits of time in milliseconds and 80 random bits in Crockford's base 32.
 * Ids of one kind sort by their time of creation, to the millisecond.
 */
export function newId(kind: IdKind, now: number = Date.now()): string {
  let time = "";
  let rest = now;
  for (let i = 0; i < 10; i++) {
    time = ALPHABET[rest % 32] + time;
    rest = Math.floor(rest / 32);
  }
  let random = "";
  for (const byte of crypto.getRandomValues(new Uint8Array(16))) random += ALPHABET[byte & 31];
  return `${PREFIXES[kind]}_${time}${random}`;
}

/** Whether a text has the shape of an id of this kind. It says nothing about whether such a thing exists. */
export function isId(kind: IdKind, text: string): boolean {
  const prefix = `${PREFIXES[kind]}_`;
  return text.startsWith(prefix) && /^[0-9a-hjkmnp-tv-z]{26}$/.test(text.slice(prefix.length));
}
