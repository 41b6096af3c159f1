import type { Context } from "../kernel/context.ts";
import { noSuchResponse, reachResponse, type ResponsePorts } from "./reach-response.ts";

/**
 * Erases a response for good, with its input. Those that go on from it stay, and cannot be gone on from any more.
 * @throws AppError `missing_scope`, `not_found`, `unavailable`
 */
export async function deleteResponse(
  context: Pick<Context, "principal" | "log">,
  ports: ResponsePorts,
  input: { responseId: string },
): Promise<void> {
  const { id, chain, endUser } = reachResponse(context.principal, ports, input.responseId);
  if (!(await chain.erase(id, endUser))) throw noSuchResponse(id);
  context.log.info("response_deleted", { response_id: id });
}
