import type { FileStore } from "../files/file-store.ts";
import { inPieces } from "../files/in-pieces.ts";
import { AppError } from "../kernel/errors.ts";
import type { ByteSource } from "./byte-source.ts";

/**
 * A file of the store, to be read from any byte.
 *
 * @throws AppError `not_found` where it is gone, also in the middle of reading
 */
export async function fileSource(files: FileStore, key: string): Promise<ByteSource> {
  const facts = await files.head(key);
  if (facts === null) throw gone();
  return {
    size: facts.size,
    async stream(from, to = facts.size) {
      if (to <= from) return new Blob().stream(); // stores refuse a range of nothing
      const piece = async (offset: number, length: number) => {
        const file = await files.get(key, { offset, length });
        if (file === null || file.facts.etag !== facts.etag) throw gone();
        return file.body;
      };
      return inPieces(piece, from, to);
    },
  };
}

function gone(): AppError {
  return new AppError("not_found", { message: "The file is not there any more. Send it again." });
}
