import { z } from "zod";

/** What a process found in a workbook, and what it took. */
export const readFound = z.object({
  rows: z.number(),
  cells: z.number(),
  /** Made of all values; two readers that say the same have read the same. */
  sum: z.number(),
  ms: z.number(),
  peakMb: z.number(),
});

export type ReadFound = z.output<typeof readFound>;
