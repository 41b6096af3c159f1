import { DrizzleQueryError } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { toAppError } from "./errors.ts";
import { isDataError, isUnreachable } from "./postgres-errors.ts";

/** As a driver throws it, in drizzle's wrapping. */
function failedQuery(code?: string): Error {
  const cause = Object.assign(new Error("of the driver"), code === undefined ? {} : { code });
  return new DrizzleQueryError("select 1", [], cause);
}

describe("a query that failed", () => {
  it.each([undefined, "ECONNRESET", "EPIPE", "57P03", "08006", "53300"])(
    "because Postgres could not be reached is told as unavailable, with a time to try again: %s",
    (code) => {
      const error = failedQuery(code);
      expect(isUnreachable(error)).toBe(true);
      const told = toAppError(error);
      expect([told.code, told.meaning.status, told.retryAfterSeconds]).toEqual([
        "unavailable",
        503,
        1,
      ]);
      expect(told.message).not.toContain("select");
    },
  );

  it.each(["23505", "22001", "42601", "40001", "XX000"])("because of itself is not: %s", (code) => {
    expect(isUnreachable(failedQuery(code))).toBe(false);
    expect(toAppError(failedQuery(code)).code).toBe("internal_error");
  });

  it("by its values is known as such", () => {
    expect(isDataError(failedQuery("22001"))).toBe(true);
    expect(isDataError(failedQuery())).toBe(false);
  });
});

it("an error that is no query's is not the database's", () => {
  expect(isUnreachable(new Error("something else"))).toBe(false);
});
