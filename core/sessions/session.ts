import type { ListedContent, MessageContent } from "./message-content.ts";
import type { ToolMessage } from "./tool-calls.ts";

/** What a session is, without its history. */
export interface SessionInfo {
  id: string;
  teamId: string;
  keyId: string | null;
  endUser: string | null;
  title: string | null;
  /** The model that somebody chose; null means the default one. */
  model: string | null;
  /** The model that answered last. */
  lastModel: string;
  system: string | null;
  /** Messages in its history. */
  messages: number;
  /** Sums of all turns, those before a reset too. */
  inputTokens: number;
  outputTokens: number;
  /** Milliseconds since 1970. */
  createdAt: number;
  lastActiveAt: number;
}

export interface SessionMessage {
  /** Grows with time within a session; pages of messages are cut by it. */
  position: number;
  id: string;
  role: "user" | "assistant";
  content: ListedContent;
  /** Null for what the user said. */
  model: string | null;
  finishReason: string | null;
  /** Milliseconds since 1970. */
  createdAt: number;
}

/** A message as the model gets it. */
export type PromptMessage =
  | { role: "system" | "user" | "assistant"; content: MessageContent }
  | ToolMessage;

/** What makes a call that is sent again recognisable. */
export interface TurnRetry {
  /** Names the caller and its Idempotency-Key. */
  key: string;
  /** Of the request, so that another one under the same key is refused. */
  requestHash: string;
  /** The caller sends a call again only once it has given the earlier one up, so this one takes a running one's place. */
  takesOver?: boolean;
}

/** What a turn says and asks for. */
export interface TurnStart {
  turnId: string;
  message: MessageContent;
  /** For a session that this turn is to make. */
  create: {
    id: string;
    teamId: string;
    keyId: string | null;
    endUser: string | null;
    model: string | null;
  } | null;
  /** The system prompt from here on, once the turn succeeds; undefined leaves it as it is. */
  system?: string | null | undefined;
  /** How many tokens the system prompt, the history and the message may take together. */
  promptTokens: number;
  /** Whether the model is offered tools, so that it may see what it called before. */
  withTools?: boolean;
  retry: TurnRetry | null;
}

/** How a turn ended, with what the model said. */
export interface TurnEnd {
  turnId: string;
  messageId: string;
  reply: string;
  /** The model that answered. */
  model: string;
  finishReason: string;
  inputTokens: number;
  outputTokens: number;
  costMicros: number;
  /** Chosen for this turn and all after it; undefined leaves what was chosen before. */
  chosenModel?: string | null | undefined;
  system?: string | null | undefined;
  /** The calls of tools before the reply, each followed by its result; left out where there are none. */
  toolMessages?: ToolMessage[];
}

/** An answer that stands in the history. */
export type KeptAnswer = Omit<TurnEnd, "turnId" | "chosenModel" | "system" | "toolMessages">;

/** How a turn begins, or why it does not. */
export type TurnBegin =
  /**
   * `leaseMs`: for how long the session waits for a turn that nobody renews. `room`: tokens that the prompt leaves free.
   * `place`: how many messages have ever come before, so that a turn which left nothing and is taken again has the same.
   */
  | { state: "begun"; messages: PromptMessage[]; leaseMs: number; room: number; place: number }
  /** The same call was answered before. */
  | { state: "answered"; answer: KeptAnswer }
  /**
   * `busy`: another turn runs. `unknown`: no such session. `too_long`: the prompt and the message alone don't fit.
   * `mismatch`: the retry's key belongs to another request. `forgotten`: it made this session, and its answer is gone.
   */
  | { state: "busy" | "unknown" | "too_long" | "mismatch" | "forgotten" };

export type Begun = Extract<TurnBegin, { state: "begun" }>;

export interface SessionChanges {
  title?: string | null | undefined;
  model?: string | null | undefined;
  system?: string | null | undefined;
}

/** One session's object, which keeps its history. `teamId` is null for those who may reach every team's sessions. */
export interface SessionStore {
  /** @returns null where there is no such session in this team, as all of these do */
  read(teamId: string | null): Promise<SessionInfo | null>;
  change(teamId: string | null, changes: SessionChanges): Promise<SessionInfo | null>;
  /** Messages before a position, the newest first; fewer than asked for where they are large. */
  messages(
    teamId: string | null,
    page: { limit: number; before: number | null },
  ): Promise<{ messages: SessionMessage[]; more: boolean } | null>;
  /** Forgets the history, and keeps title, model and prompt. `busy` while it answers. */
  reset(teamId: string | null): Promise<SessionInfo | "busy" | null>;
  /** Erases everything for good, a running turn too. @returns false where there was nothing */
  erase(teamId: string | null): Promise<boolean>;
  begin(teamId: string | null, turn: TurnStart): Promise<TurnBegin>;
  /** Keeps a running turn alive. @returns false where it is no longer the session's */
  renew(turnId: string): Promise<boolean>;
  /** Writes what was said on both sides. @returns false where the turn is no longer the session's */
  finish(end: TurnEnd): Promise<boolean>;
  /** Gives the turn up; nothing of it stays, nor of a session that it was to make. */
  abandon(turnId: string): Promise<void>;
}

/** The store of the session with this id, whether or not there is such a session. */
export type OpenSession = (sessionId: string) => SessionStore;
