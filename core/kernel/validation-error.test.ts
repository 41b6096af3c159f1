import { expect, test } from "vitest";
import { z } from "zod";
import { validationError } from "./validation-error.ts";

const shape = z.strictObject({ name: z.string(), input: z.unknown(), size: z.number().max(3) });

function faultsOf(value: unknown, under?: string) {
  const parsed = shape.safeParse(value);
  if (parsed.success) throw new Error("It was valid");
  return validationError(parsed.error, under);
}

test("a field that is not there is missing, whatever it would have to be", () => {
  const error = faultsOf({ size: 1 });
  expect(error.fields).toEqual([
    { path: "name", message: "is missing" },
    { path: "input", message: "is missing" },
  ]);
  expect(error.message).toBe("name: is missing (and 1 more, see errors)");
});

test("a field of the wrong kind is told what it should be", () => {
  expect(faultsOf({ name: null, input: 1, size: 9 }).fields).toEqual([
    { path: "name", message: "Invalid input: expected string, received null" },
    { path: "size", message: "Too big: expected number to be <=3" },
  ]);
});

test("faults of a part of the request are told by their path in the whole of it", () => {
  expect(faultsOf({ name: "a", input: 1, size: 1, sise: 2 }, "input").fields).toEqual([
    { path: "input.sise", message: "is not a field of this body" },
  ]);
});
