import { type Fields, listOf, objectOf } from "../chat/loose-json.ts";
import { AppError, toAppError } from "../kernel/errors.ts";
import type { Principal } from "../kernel/principal.ts";
import { itemsOf, outputOf, readChain } from "./chain-items.ts";
import { reachResponse, type ResponsePorts } from "./reach-response.ts";
import { parseResponseId, type ResponseName, responseOfItem } from "./response-id.ts";

/** Kept responses that one request may point into by its items. */
const REFERENCE_LIMIT = 50;

/** What a request goes on from. */
export interface Earlier {
  previous: ResponseName | null;
  /** All that was said before, the oldest first. */
  items: Fields[];
  /** The request's own input, in which items stand where it pointed to kept ones. */
  input: unknown;
}

/**
 * Loads what a request of the Responses API goes on from: the chain of its `previous_response_id`, and items that its
 * input points to by `item_reference`.
 * @throws AppError `invalid_request` for what is not kept (any more), `context_too_long`, `unavailable`
 */
export async function loadEarlier(
  principal: Principal,
  ports: ResponsePorts,
  body: { previousId: string | null; input: unknown },
): Promise<Earlier> {
  const { previousId } = body;
  const [items, input] = await Promise.all([
    previousId === null ? [] : earlierItems(principal, ports, previousId),
    resolveReferences(principal, ports, body.input),
  ]);
  return { previous: previousId === null ? null : parseResponseId(previousId), items, input };
}

async function earlierItems(principal: Principal, ports: ResponsePorts, id: string) {
  return asOfRequest("previous_response_id", async () =>
    itemsOf(await readChain(reachResponse(principal, ports, id))),
  );
}

/** Input without references is given back as it is. */
async function resolveReferences(
  principal: Principal,
  ports: ResponsePorts,
  input: unknown,
): Promise<unknown> {
  const ids = new Map<string, string>();
  for (const [index, item] of listOf(input).map(objectOf).entries()) {
    if (item["type"] !== "item_reference") continue;
    const name = responseOfItem(String(item["id"]));
    if (!name) throw noSuchItem(index);
    ids.set(name.id, `input.${index}.id`);
  }
  if (ids.size === 0) return input;
  if (ids.size > REFERENCE_LIMIT)
    throw new AppError("invalid_request", {
      message: `input may point to items of ${REFERENCE_LIMIT} responses. Use previous_response_id, or send the items themselves.`,
      param: "input",
    });
  const outputs = await Promise.all(
    [...ids].map(([id, path]) =>
      asOfRequest(path, async () => {
        const reached = reachResponse(principal, ports, id);
        const kept = await reached.chain.read(id, reached.endUser);
        return kept ? outputOf(kept) : [];
      }),
    ),
  );
  const byId = new Map(outputs.flat().map((item) => [item["id"], item]));
  return listOf(input).map((value, index) => {
    const item = objectOf(value);
    if (item["type"] !== "item_reference") return value;
    const kept = byId.get(item["id"]);
    if (!kept) throw noSuchItem(index);
    return kept;
  });
}

function noSuchItem(index: number): AppError {
  return new AppError("invalid_request", {
    message: `input.${index}.id names no item that is kept. Send the item itself.`,
    param: `input.${index}.id`,
  });
}

/** What is not there is a fault of the request that names it, as OpenAI tells it: 400, not 404. */
async function asOfRequest<T>(param: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    const error = toAppError(thrown);
    if (error.code !== "not_found" && error.code !== "conflict") throw thrown;
    throw new AppError("invalid_request", { message: error.message, param, cause: thrown });
  }
}
