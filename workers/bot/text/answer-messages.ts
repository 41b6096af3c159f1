import { CAPTION_LIMIT, type FormattedText, plain } from "./formatted-text.ts";
import { markdownToEntities } from "./markdown-to-entities.ts";
import { splitMessage } from "./split-message.ts";

/** A message to be sent: text, or a file with a caption. */
export type Outgoing =
  | { kind: "text"; content: FormattedText }
  | { kind: "document"; name: string; text: string; caption: string }
  | { kind: "file"; name: string; bytes: Uint8Array; caption: string };

/** A file of bytes. */
export type FileMessage = Extract<Outgoing, { kind: "file" }>;

/** With more messages than this, an answer comes as a file. */
export const MOST_MESSAGES = 5;
const PREVIEW_LENGTH = 900;

/**
 * The messages that bring a finished answer.
 * @param markdown what the model wrote
 * @param inFile the sentence that says that the whole answer is in the file
 */
export function answerMessages(markdown: string, inFile: string): Outgoing[] {
  const parts = splitMessage(markdownToEntities(markdown));
  if (parts.length <= MOST_MESSAGES) return parts.map((content) => ({ kind: "text", content }));
  const [preview = plain("")] = splitMessage(parts[0] ?? plain(""), PREVIEW_LENGTH);
  const content = { text: `${preview.text}\n\n${inFile}`, entities: preview.entities };
  return [
    { kind: "text", content },
    {
      kind: "document",
      name: "answer.md",
      text: markdown,
      caption: inFile.slice(0, CAPTION_LIMIT),
    },
  ];
}
