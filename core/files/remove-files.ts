import type { FileStore } from "./file-store.ts";

/**
 * Removes everything under a prefix, as far as there is time. Cut off anywhere it goes on where it was, since what is
 * gone is not listed again.
 * @param prefix with a slash at its end, or it would take what begins alike
 * @returns whether nothing is left
 */
export async function removeFiles(
  files: FileStore,
  prefix: string,
  isOver: () => boolean = () => false,
): Promise<boolean> {
  while (!isOver()) {
    const { keys, cursor } = await files.list(prefix);
    await files.delete(keys.map(({ key }) => key));
    if (cursor === null) return true;
  }
  return false;
}
