import { z } from "zod";
import type { Context } from "../kernel/context.ts";
import { AppError } from "../kernel/errors.ts";
import { mayUseModel, teamScope } from "../kernel/principal.ts";
import { line } from "../kernel/text.ts";
import {
  found,
  reachSession,
  type Session,
  type SessionPorts,
  toSession,
} from "./session-context.ts";
import { modelName, systemPrompt } from "./turn-input.ts";

/** What may be set; null takes it back, and the session has no title, no prompt, or the default model. */
export const updateSessionInput = z.strictObject({
  title: line(200).nullish(),
  model: modelName.nullish(),
  system: systemPrompt.nullish(),
});

/**
 * Changes a session's title, model or system prompt; a model holds from the next turn on.
 * @throws AppError `missing_scope`, `not_found`, `model_not_allowed`, `model_not_found`
 */
export async function updateSession(
  context: Context,
  ports: SessionPorts,
  input: z.infer<typeof updateSessionInput> & { sessionId: string },
): Promise<Session> {
  const { sessionId, ...changes } = input;
  const store = reachSession(context, ports, sessionId);
  const teamId = teamScope(context.principal);
  if (typeof changes.model === "string") {
    found(await store.read(teamId)); // what is not there is said first
    await checkModel(context, ports, changes.model);
  }
  return toSession(ports, found(await store.change(teamId, changes)));
}

async function checkModel(context: Context, ports: SessionPorts, model: string): Promise<void> {
  if (!mayUseModel(context.principal, model)) {
    throw new AppError("model_not_allowed", {
      message: `This API key may not use the model ${JSON.stringify(model)}.`,
      param: "model",
    });
  }
  await ports.route(model);
}
