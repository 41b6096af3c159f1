import { isFromRight } from "./visual-runs.ts";
import { clustersOf } from "./share-out.ts";

/**
 * The parts of a text that one font should draw: letters, but whole words where letters join, as those of Arabic do.
 */
export function unitsOf(text: string): string[] {
  if (!isFromRight(text)) return clustersOf(text);
  return text
    .split(/(\s+)/)
    .filter((word) => word !== "")
    .flatMap((word) => (isFromRight(word) ? [word] : clustersOf(word)));
}
