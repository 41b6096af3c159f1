/** A part of a message, as OpenAI shapes it: text, or an image by URL. */
export type MessagePart = { type: "text"; text: string } | { type: "image_url"; image_url: { url: string; detail?: string | undefined } };

/** What a message says: a text, or parts with images among them. */
export type MessageContent = string | MessagePart[];

/** What a session is, without its history. */
export interface SessionInfo {
  id: string;
  teamId: string;
  keyId: string | null;
  endUser: string | null;
  title: string | null;
  model: string;
  system: string | null;
  /** Messages in its history. */
  messages: number;
  inputTokens: number;
  outputTokens: number;
  /** Milliseconds since 1970. */
  createdAt: number;
  lastActiveAt: number;
}

export interface SessionMessage {
  id: string;
  role: "user" | "assistant";
  content: MessageContent;
  /** Null for what the user said. */
  model: string | null;
  finishReason: string | null;
  /** Milliseconds since 1970. */
  createdAt: number;
}

/** What a turn says and asks for. */
export interface TurnStart {
  turnId: string;
  teamId: string;
  message: MessageContent;
  /** For a session that is to be made by this turn. */
  create: { id: string; keyId: string | null; endUser: string | null; model: string; system: string | null } | null;
  /** How many tokens of history, system prompt and message may go to the model. */
  inputTokens: number;
  /** The system prompt from here on; undefined leaves it. */
  system?: string | null | undefined;
}

/** A turn as the model shall see it, or why it cannot begin. */
export type TurnBegin =
  | { state: "begun"; messages: { role: "system" | "user" | "assistant"; content: MessageContent }[] }
  | { state: "busy" | "unknown" | "too_long" };

/** How a turn ended, with what the model said. */
export interface TurnEnd {
  turnId: string;
  messageId: string;
  reply: string;
  model: string;
  finishReason: string;
  inputTokens: number;
  outputTokens: number;
  system?: string | null | undefined;
}

/** One session's object, which keeps its history. */
export interface SessionStore {
  /** @returns null where there is no such session in this team */
  read(teamId: string): Promise<SessionInfo | null>;
  change(teamId: string, changes: { title?: string | null; model?: string; system?: string | null }): Promise<SessionInfo | null>;
  messages(teamId: string, page: { limit: number; before: number | null }): Promise<{ messages: (SessionMessage & { position: number })[] } | null>;
  /** Forgets the history, and keeps title, model and prompt. `busy` while it answers. */
  reset(teamId: string): Promise<SessionInfo | "busy" | null>;
  /** Erases everything for good. @returns false where there was nothing */
  erase(teamId: string): Promise<boolean>;
  begin(turn: TurnStart): Promise<TurnBegin>;
  /** Writes what was said on both sides. @returns false where the turn is no longer the session's */
  finish(end: TurnEnd): Promise<boolean>;
  /** Gives the turn up; nothing of it stays. */
  abandon(turnId: string): Promise<void>;
}

/** The store of the session with this id. */
export type OpenSession = (sessionId: string) => SessionStore;
