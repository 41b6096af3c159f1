import type { FileStore } from "../../files/file-store.ts";
import type { VinRow } from "./vin-columns.ts";

/** What was found out about the rows of one chunk, in the order in which they are read. */
export interface Piece {
  /** One for each row and broken line; null for rows that nothing is added to. */
  rows: (VinRow | null)[];
}

/** Where the pieces of a job stand until its file is written. They are no results: nobody downloads them. */
export const pieceKey = (job: { teamId: string; id: string }, number: number) =>
  `${job.teamId}/jobs/${job.id}/pieces/${String(number).padStart(6, "0")}.json`;

/** The rows of all pieces, one after the other. */
export async function* readPieces(
  files: FileStore,
  job: { teamId: string; id: string },
  count: number,
): AsyncGenerator<VinRow | null, void, undefined> {
  for (let number = 1; number <= count; number++) {
    const stored = await files.get(pieceKey(job, number));
    if (stored === null) throw new Error(`Piece ${number} of ${count} is missing`);
    const piece = (await new Response(stored.body).json()) as Piece; // written by the chunk of its number
    yield* piece.rows;
  }
}
