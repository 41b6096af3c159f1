/** A text of somebody else as it is, within Markdown. */
export const escapeMarkdown = (text: string) =>
  text.replaceAll(/[\\`*_[\]<>|~#]/g, String.raw`\$&`);
