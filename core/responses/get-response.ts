import type { Context } from "../kernel/context.ts";
import { noSuchResponse, reachResponse, type ResponsePorts } from "./reach-response.ts";

/**
 * A response as its client got it, as JSON text.
 * @throws AppError `missing_scope`, `not_found`, `unavailable`
 */
export async function getResponse(
  context: Pick<Context, "principal">,
  ports: ResponsePorts,
  input: { responseId: string },
): Promise<string> {
  const { id, chain, endUser } = reachResponse(context.principal, ports, input.responseId);
  const kept = await chain.read(id, endUser);
  if (!kept) throw noSuchResponse(id);
  return kept.response;
}
