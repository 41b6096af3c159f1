import type { Context } from "../kernel/context.ts";
import { AppError } from "../kernel/errors.ts";
import { requireScope } from "../kernel/principal.ts";
import type { ModelRoute } from "../providers/catalog.ts";
import type { OpenSession, SessionInfo, SessionStore } from "./session.ts";
import { checkSessionId, noSuchSession } from "./session-id.ts";

/** What the verbs on sessions reach beside the context. */
export interface SessionPorts {
  openSession: OpenSession;
  /** @throws AppError `model_not_found`, `unavailable`, `misconfigured` */
  route(model: string): ModelRoute | Promise<ModelRoute>;
  /** The model for sessions that have chosen none. @throws AppError where there is none */
  defaultModel(): Promise<string>;
}

/** A session as callers see it. */
export type Session = Omit<SessionInfo, "model" | "lastModel"> & {
  /** The model that answers next. */
  model: string;
};

/**
 * The object of the session that a request names, once it is clear that the principal may ask it.
 * @throws AppError `missing_scope`, `not_found`
 */
export function reachSession(
  context: Context,
  ports: SessionPorts,
  sessionId: string,
): SessionStore {
  requireScope(context.principal, "sessions");
  checkSessionId(sessionId);
  return ports.openSession(sessionId);
}

/** Shows which model answers next: the chosen one, else the default, else the one that answered last. */
export async function toSession(ports: SessionPorts, info: SessionInfo): Promise<Session> {
  const { model, lastModel, ...session } = info;
  const next = model ?? (await ports.defaultModel().catch(() => lastModel));
  return { ...session, model: next };
}

/** @throws AppError `not_found` for null, as stores answer for what is not there */
export function found<T>(value: T | null): T {
  if (value === null) throw noSuchSession();
  return value;
}

/** @throws AppError `session_busy` */
export function notBusy<T>(value: T | "busy"): T {
  if (value !== "busy") return value as T; // "busy" is the only text among them
  throw new AppError("session_busy", {
    message: "The session is answering a message. Wait for that answer, then try again.",
    retryAfterSeconds: 1,
  });
}
