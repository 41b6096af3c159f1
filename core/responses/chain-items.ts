import { type Fields, listOf, objectOf } from "../chat/loose-json.ts";
import { AppError } from "../kernel/errors.ts";
import { noSuchResponse, type ReachedResponse } from "./reach-response.ts";
import type { KeptResponse } from "./response-store.ts";

/** The items of a response's own input, and those that the model answered. */
export const inputOf = ({ input }: KeptResponse) => listOf(JSON.parse(input)).map(objectOf);
export const outputOf = ({ response }: KeptResponse) =>
  listOf(objectOf(JSON.parse(response))["output"]).map(objectOf);

/** All that was said up to the end of these responses, the oldest first. */
export function itemsOf(responses: readonly KeptResponse[]): Fields[] {
  return responses.flatMap((response) => [...inputOf(response), ...outputOf(response)]);
}

/**
 * A response with all those before it, the oldest first.
 * @throws AppError `not_found`, `conflict` (a part was deleted), `context_too_long`, `unavailable`
 */
export async function readChain(reached: ReachedResponse): Promise<KeptResponse[]> {
  const { id, chain, endUser } = reached;
  const kept = await chain.chain(id, endUser);
  if (kept.state === "found") return kept.responses;
  if (kept.state === "unknown") throw noSuchResponse(id);
  if (kept.state === "too_long")
    throw new AppError("context_too_long", {
      message:
        "The conversation that this response goes on from has become too long to be kept together. Begin a new one with a summary of it.",
    });
  throw new AppError("conflict", {
    message: "A response that this one goes on from was deleted, and what was said in it is gone.",
  });
}
