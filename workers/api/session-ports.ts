import { sha256Hex } from "#core/kernel/digest.ts";
import { seesSessionsOf } from "#core/kernel/principal.ts";
import { onlySessionsOf } from "#core/sessions/only-sessions-of.ts";
import type { TurnRetry } from "#core/sessions/session.ts";
import type { ToolBox } from "#core/sessions/turn-tools.ts";
import { skillTools } from "#core/skills/skill-tools.ts";
import type { SessionPorts } from "#core/sessions/session-context.ts";
import type { Session } from "#platform/durable-objects/session.ts";
import { createSessionClient } from "#platform/session-client.ts";
import type { AppContext } from "./app-types.ts";
import { idempotencyKeyOf, ownerOf } from "./middleware/idempotent.ts";
import { defaultModelOf, routeOf } from "./model-gateway.ts";
import { skillHost } from "./skill-host.ts";

/** What the verbs on sessions reach, for this request. */
export function sessionPorts(c: AppContext): SessionPorts {
  const { sessions } = c.get("deps");
  const open = createSessionClient(sessions as DurableObjectNamespace<Session>); // wrangler's types leave out the class
  const principal = c.get("principal");
  const endUser = principal.kind === "token" ? seesSessionsOf(principal) : null; // the bot knows whose chat it is
  return {
    openSession: endUser === null ? open : onlySessionsOf(endUser, open),
    route: (model) => routeOf(c, model),
    defaultModel: () => defaultModelOf(c),
  };
}

/** For how long a model that has refused tools is not offered them again, in milliseconds. */
const NO_TOOLS_MS = 10 * 60 * 1_000;

/** The skills as tools of the model, for this request. */
export function toolBox(c: AppContext): ToolBox {
  const { toolless } = c.get("deps");
  return {
    toolsFor: (call, wanted) => skillTools(c.get("context"), skillHost(c), call, wanted),
    refusesTools: (model) => (toolless.get(model) ?? 0) > Date.now(),
    noteRefusal: (model) => toolless.set(model, Date.now() + NO_TOOLS_MS),
  };
}

/**
 * What makes this call recognisable when it is sent again; null where the client gave no Idempotency-Key. It goes to
 * the session's object and nowhere else: the hash is made from what the user said.
 * @throws AppError `invalid_request`
 */
export async function turnRetry(c: AppContext): Promise<TurnRetry | null> {
  const key = idempotencyKeyOf(c);
  if (key === null) return null;
  const principal = c.get("principal");
  return {
    key: await sha256Hex(`${ownerOf(principal)}\n${key}`),
    requestHash: await sha256Hex(await c.req.text()),
    // The bot answers one message of a chat at a time: it asks again only after a crash.
    takesOver: principal.kind === "telegram",
  };
}
