import { AppError } from "../../kernel/errors.ts";
import { invalid } from "../chat-request.ts";

/** Reads of requests in other shapes: each throws `invalid_request` with the place that is wrong. */

export type Fields = Record<string, unknown>;

/** @throws AppError `invalid_request` */
export function fieldsAt(value: unknown, path: string): Fields {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields; // an object, as checked
  throw invalid(path, "must be an object");
}

/** @throws AppError `invalid_request` */
export function listAt(value: unknown, path: string): unknown[] {
  if (Array.isArray(value)) return value;
  throw invalid(path, "must be a list");
}

/** @throws AppError `invalid_request` */
export function textAt(value: unknown, path: string): string {
  if (typeof value === "string") return value;
  throw invalid(path, "must be a text");
}

/** A field that may be left out or null. @throws AppError `invalid_request` */
export function optionalText(value: unknown, path: string): string | null {
  return isAbsent(value) ? null : textAt(value, path);
}

/** @throws AppError `invalid_request` */
export function optionalNumber(value: unknown, path: string): number | null {
  if (isAbsent(value)) return null;
  if (typeof value === "number") return value;
  throw invalid(path, "must be a number");
}

/** @throws AppError `invalid_request` */
export function optionalFlag(value: unknown, path: string): boolean | null {
  if (isAbsent(value)) return null;
  if (typeof value === "boolean") return value;
  throw invalid(path, "must be true or false");
}

/** A number of tokens of at least 1. @throws AppError `invalid_request` */
export function tokenLimitAt(value: unknown, path: string): number {
  if (Number.isInteger(value) && Number(value) >= 1) return Number(value);
  throw invalid(path, "must be a whole number of at least 1");
}

export const isAbsent = (value: unknown) => value === undefined || value === null;

/** What this gateway cannot do, said before anything is sent anywhere. */
export function unsupported(param: string, sentence: string): AppError {
  return new AppError("invalid_request", { message: `${param}: ${sentence}`, param });
}

/** The object without the fields that are undefined, so that providers do not meet nulls that nobody sent. */
export function withoutAbsent(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => !isAbsent(value)));
}
