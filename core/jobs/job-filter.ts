import { and, eq, gte, ilike, inArray, lt, or, type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import { JOB_STATES, jobs } from "#schema";
import type { Principal } from "../kernel/principal.ts";
import { isStorableText } from "../kernel/text.ts";
import { jobsVisibleTo, type JobState } from "./job.ts";

const time = z.iso
  .datetime({ offset: true, error: "must be a time such as 2026-11-21T09:30:00Z" })
  .transform((text) => new Date(text));

/** What jobs are looked for by; all that is given must hold. */
export const jobFilterFields = {
  type: z.string().max(100).refine(isStorableText, "must not hold NUL").optional(),
  from: time.optional().describe("Made at this time or later"),
  to: time.optional().describe("Made before this time"),
  q: z
    .string()
    .trim()
    .min(1)
    .max(200)
    .refine(isStorableText, "must not hold NUL or broken Unicode")
    .optional()
    .describe(
      "A part of the id, the input, the idempotency key, what it said last of its progress, or of its error",
    ),
};

export const jobStates = z.array(z.enum(JOB_STATES)).min(1);

export interface JobFilter {
  states?: readonly JobState[] | undefined;
  type?: string | undefined;
  from?: Date | undefined;
  to?: Date | undefined;
  q?: string | undefined;
}

/** Jobs that the principal may touch and that the filter names. */
export function jobsMatching(principal: Principal, filter: JobFilter): SQL | undefined {
  const { states, type, from, to, q } = filter;
  return and(
    jobsVisibleTo(principal),
    states === undefined ? undefined : inArray(jobs.state, [...states]),
    type === undefined ? undefined : eq(jobs.type, type),
    from === undefined ? undefined : gte(jobs.createdAt, from),
    to === undefined ? undefined : lt(jobs.createdAt, to),
    q === undefined ? undefined : holding(q),
  );
}

function holding(text: string): SQL | undefined {
  const pattern = `%${text.replaceAll(/[\\%_]/g, "\\$&")}%`;
  return or(
    ilike(jobs.id, pattern),
    ilike(jobs.idempotencyKey, pattern),
    ilike(jobs.progressMessage, pattern),
    ilike(jobs.errorMessage, pattern),
    sql`${jobs.input}::text ILIKE ${pattern}`,
  );
}
