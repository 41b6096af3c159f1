import type { z } from "zod";
import { AppError, type FieldError } from "./errors.ts";

/** How many faults one answer lists, and how long the name of a field may be in it. */
const FAULTS_LISTED = 50;
const FIELD_NAME_LISTED = 100;

/** Fields that are changed elsewhere, and what to say to those who send them. */
const ELSEWHERE = new Map([
  ["limits", "is not changed here; send the limits by PUT to …/limits of the team or key"],
]);

/** What zod says of a field that is not there, whatever it would have to be. */
const MISSING = /^Invalid input: expected .*, received undefined$/;

/** One fault for each field that is not known, so that a client finds it by its path. */
function fieldErrors(issue: z.core.$ZodIssue): FieldError[] {
  const path = issue.path.map(String);
  if (issue.code !== "unrecognized_keys") {
    return [
      { path: path.join("."), message: MISSING.test(issue.message) ? "is missing" : issue.message },
    ];
  }
  return issue.keys.slice(0, FAULTS_LISTED).map((key) => ({
    path: [...path, key.slice(0, FIELD_NAME_LISTED)].join("."),
    message: ELSEWHERE.get(key) ?? "is not a field of this body",
  }));
}

/**
 * What zod found wrong, as our error: `validation_failed` with a path and a sentence for each field.
 * @param under the field of the request that was checked, where that was not all of it
 */
export function validationError(error: z.ZodError, under?: string): AppError {
  const fields = error.issues
    .slice(0, FAULTS_LISTED)
    .map((issue) => (under === undefined ? issue : { ...issue, path: [under, ...issue.path] }))
    .flatMap(fieldErrors)
    .slice(0, FAULTS_LISTED);
  const first = fields[0];
  const where = first && first.path !== "" ? `${first.path}: ` : "";
  return new AppError("validation_failed", {
    message: `${where}${first?.message ?? "invalid"}${fields.length > 1 ? ` (and ${fields.length - 1} more, see errors)` : ""}`,
    fields,
  });
}
