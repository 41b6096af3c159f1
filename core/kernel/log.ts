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

function jsonValue(name: string, value: unknown): unknown {
  if (name !== "" && SECRET_NAME.test(name) && typeof value === "string") return "[removed]";
  if (value instanceof Error) {
    return { name: value.name, message: value.message, stack: value.stack, cause: value.cause };
  }
  if (typeof value === "bigint") return String(value);
  return value;
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
    const line = { level: lineLevel, time: new Date().toISOString(), event, ...base, ...fields };
    write(lineLevel, JSON.stringify(line, jsonValue));
  };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    with: (fields) => createLogger(level, write, { ...base, ...fields }),
  };
}
