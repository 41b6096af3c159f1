/** A file in the file store that a chat is to get as a document. */
export interface TelegramFile {
  /** Names the message; the same one is sent once. */
  key: string;
  /** In the file store. */
  fileKey: string;
  name: string;
  /** At most 1,024 characters are shown. */
  caption: string;
}

/** Sends files to chats. A port: only the bot has its token. */
export interface TelegramFiles {
  /**
   * Takes a file durably; it is sent at Telegram's pace.
   * @returns `known` for a key that was taken before, `refused` where the bot was blocked or too much waits
   * @throws Error when the bot cannot be reached
   */
  sendFile(chatId: number, file: TelegramFile): Promise<"taken" | "known" | "refused">;
}
