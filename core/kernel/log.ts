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

function jsonValue(name: string, value: unknown): unknown {
  if (typeof value === "string") return name !== "" && isSecretName(name) ? "[removed]" : value;
  if (value instanceof Error) {
    return { name: value.name, message: value.message, stack: value.stack, cause: value.cause };
  }
  if (typeof value === "bigint") return String(value);
  return value;
}

/**
 * One object as JSON. Fields are written one by one: a replacer function, called by JSON.stringify for each value,
 * made the log line the dearest part of a request.
 */
function toLine(fields: LogFields): string {
  let line = "";
  for (const name in fields) {
    const value = jsonValue(name, fields[name]);
    const json =
      typeof value === "object" && value !== null
        ? JSON.stringify(value, jsonValue)
        : JSON.stringify(value);
    if (json !== undefined) line += `${line === "" ? "{" : ","}${JSON.stringify(name)}:${json}`;
  }
  return `${line === "" ? "{" : line}}`;
}

/**
 * A logger over a line writer.
 * @param level lines below it are not written
 * @param write takes one line without its end
 */
export function createLogger(
  level: LogLevel,
  write: (level: LogLevel, line: string) => void,
  base: LogFields = {},
): Logger {
  const lowest = LOG_LEVELS.indexOf(level);
  const at = (lineLevel: LogLevel) => (event: string, fields?: LogFields) => {
    if (LOG_LEVELS.indexOf(lineLevel) < lowest) return;
    const time = new Date().toISOString();
    write(lineLevel, toLine({ level: lineLevel, time, event, ...base, ...fields }));
  };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    with: (fields) => createLogger(level, write, { ...base, ...fields }),
  };
}
