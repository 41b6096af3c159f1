import { createLogger, type Logger, type LogLevel } from "#core/kernel/log.ts";

/** Workers' logs: one JSON line each, through the console method of its level, which the platform's log search keeps. */
export function consoleLogger(level: LogLevel, service: "api" | "bot" | "cron"): Logger {
  return createLogger(level, (lineLevel, line) => console[lineLevel](line), { service });
}
