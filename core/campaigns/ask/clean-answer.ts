/** Letters of an answer. */
const LONGEST_ANSWER = 8_000;

/**
 * A model's answer as plain text with emphasis and lists: no links, pictures or markup, since an address can carry data
 * out when somebody's page shows it, and nothing that is not seen.
 */
export function cleanAnswer(answer: string): string {
  return answer
    .toWellFormed()
    .slice(0, LONGEST_ANSWER)
    .toWellFormed()
    .replaceAll(/!?\[([^\]\n]*)\]\s*(?:\([^)\n]*\)?|\[[^\]\n]*\])/g, "$1")
    .replaceAll(/^\s*\[[^\]\n]+\]:.*$/gm, "")
    .replaceAll(/<\/?[a-z!][^>\n]*>?/gi, "")
    .replaceAll(
      /(?:\b[a-z][a-z0-9+.-]{1,20}:)?\/\/[^\s)\]"'»”]+|\b(?:data|javascript|mailto):[^\s)\]"'»”]+/gi,
      "",
    )
    .replaceAll(/\bwww\.[^\s)\]"'»”]+/gi, "")
    .replaceAll(/[^\P{C}\n\u200c\u2066-\u2069]/gu, "")
    .trim();
}
