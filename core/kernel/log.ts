export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export type LogFields = Record<string, unknown>;

/** Writes one JSON line per call. Fields that are named like secrets are left out. */
export interface Logger {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  /** A logger that adds these fields to each line. */
  with(fields: LogFields): Logger;
}

const SECRET_NAME = /authorization|api[-_]?key$|secret|password|token$|cookie/i;

/** Names that were looked at; there are as many as the code has, so the bound is never met in practice. */
const secretNames = new Map<string, boolean>();

function isSecretName(name: string): boolean {
  let secret = secretNames.get(name);
  if (secret === undefined) {
    secret = SECRET_NAME.test(name);
    if (secretNames.size < 1_000) secretNames.set(name, secret);
  }
  return secret;
}

const REMOVED = "[removed]";

function jsonValue(name: string, value: unknown): unknown {
  if (typeof value === "string") return name !== "" && isSecretName(name) ? REMOVED : value;
  if (value instanceof Error) {
    return { name: value.name, message: value.message, stack: value.stack, cause: value.cause };
  }
  if (typeof value === "bigint") return String(value);
  return value;
}

/**
 * One object as JSON. Most lines hold plain values only; JSON.stringify with a replacer, which it calls for each of
 * them, would be the dearest part of a request.
 * @param fields an object of our own, in which secrets are overwritten
 */
function toLine(fields: LogFields): string {
  let plain = true;
  for (const name in fields) {
    const value = fields[name];
    if (typeof value === "string") {
      if (isSecretName(name)) fields[name] = REMOVED;
    } else if ((typeof value === "object" && value !== null) || typeof value === "bigint")
      plain = false;
  }
  return plain ? JSON.stringify(fields) : JSON.stringify(fields, jsonValue);
}

type Write = (level: LogLevel, line: string) => void;

class LineLogger implements Logger {
  private readonly lowest: number;
  private readonly write: Write;
  private readonly base: LogFields;

  constructor(lowest: number, write: Write, base: LogFields) {
    this.lowest = lowest;
    this.write = write;
    this.base = base;
  }

  debug(event: string, fields?: LogFields): void {
    this.line("debug", event, fields);
  }

  info(event: string, fields?: LogFields): void {
    this.line("info", event, fields);
  }

  warn(event: string, fields?: LogFields): void {
    this.line("warn", event, fields);
  }

  error(event: string, fields?: LogFields): void {
    this.line("error", event, fields);
  }

  with(fields: LogFields): Logger {
    return new LineLogger(this.lowest, this.write, { ...this.base, ...fields });
  }

  private line(level: LogLevel, event: string, fields?: LogFields): void {
    if (LOG_LEVELS.indexOf(level) < this.lowest) return;
    const time = new Date().toISOString();
    this.write(level, toLine({ level, time, event, ...this.base, ...fields }));
  }
}

/**
 * A logger over a line writer.
 * @param level lines below it are not written
 * @param write takes one line without its end
 */
export function createLogger(level: LogLevel, write: Write, base: LogFields = {}): Logger {
  return new LineLogger(LOG_LEVELS.indexOf(level), write, base);
}
