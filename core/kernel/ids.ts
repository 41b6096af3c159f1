import { randomByte } from "./random-byte.ts";

/** What each kind of thing is called in its id. */
const PREFIXES = {
  team: "team",
  member: "mem",
  invitation: "ivt",
  key: "key",
  session: "sess",
  message: "msg",
  request: "req",
  usageBatch: "batch",
  scheduleRun: "run",
  limit: "lim",
  lease: "lease",
  isolate: "iso",
  credit: "crd",
  completion: "chatcmpl",
  trace: "trace",
  auditEntry: "aud",
  job: "job",
  jobSchedule: "sched",
  callbackSecret: "cbs",
  upload: "upl",
  campaign: "cmp",
} as const;

export type IdKind = keyof typeof PREFIXES;

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"; // Crockford's base 32, in ASCII order, so that ids sort by time

/**
 * A new id, such as `key_01kah6…`: 48 bits of time in milliseconds and 80 random bits in Crockford's base 32.
 * Ids of one kind sort by their time of creation, to the millisecond.
 */
export function newId(kind: IdKind, now: number = Date.now()): string {
  return `${PREFIXES[kind]}_${timePart(now)}${randomPart()}`;
}

/** The last time that was written, since many ids are made within a millisecond. */
let lastTime = -1;
let lastTimePart = "";

function timePart(now: number): string {
  if (now === lastTime) return lastTimePart;
  let text = "";
  let rest = now;
  for (let i = 0; i < 10; i++) {
    text = (ALPHABET[rest % 32] ?? "") + text;
    rest = Math.floor(rest / 32);
  }
  lastTime = now;
  lastTimePart = text;
  return text;
}

const RANDOM_LENGTH = 16;

function randomPart(): string {
  let text = "";
  for (let i = 0; i < RANDOM_LENGTH; i++) text += ALPHABET[randomByte() & 31];
  return text;
}

/** Whether a text has the shape of an id of this kind. It says nothing about whether such a thing exists. */
export function isId(kind: IdKind, text: string): boolean {
  const prefix = `${PREFIXES[kind]}_`;
  return text.startsWith(prefix) && /^[0-9a-hjkmnp-tv-z]{26}$/.test(text.slice(prefix.length));
}
