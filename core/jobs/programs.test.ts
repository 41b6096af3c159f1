import { expect, it } from "vitest";
import { JOB_TYPES } from "./job-types.ts";
import { JOB_PROGRAMS } from "./programs.ts";

it("has exactly one program for each type of job, and no other", () => {
  const names = JOB_TYPES.map((type) => type.name);
  expect(new Set(names).size).toBe(names.length);
  expect(JOB_PROGRAMS.map((program) => program.type.name).sort()).toEqual(names.sort());
  for (const program of JOB_PROGRAMS) expect(JOB_TYPES).toContain(program.type);
});

it("names versions of programs by whole numbers, earlier ones lower than the latest", () => {
  for (const { type, version, earlier } of JOB_PROGRAMS) {
    expect(Number.isSafeInteger(version) && version > 0, type.name).toBe(true);
    for (const old of Object.keys(earlier ?? {}))
      expect(Number(old), type.name).toBeLessThan(version);
  }
});
