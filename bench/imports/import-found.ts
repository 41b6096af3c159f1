import { z } from "zod";

/** What an import in Node took, beside COPY of the same rows. */
export const nodeImport = z.object({
  rows: z.number(),
  importMs: z.number(),
  copyMs: z.number(),
  peakMb: z.number(),
});

/** What an import in the built Workers took. */
export const workerImport = z.object({
  rows: z.number(),
  importMs: z.number(),
  /** Of the runtime's process, all Workers in it: before the import, and the most until its end. */
  idleMb: z.number(),
  peakMb: z.number(),
});

/** A job as its row says. */
export const importedFile = z.object({
  state: z.string(),
  result: z.object({ accepted: z.number() }).nullable(),
});
