import { z } from "zod";
import type { Fields } from "../chat/loose-json.ts";
import type { Context } from "../kernel/context.ts";
import { AppError } from "../kernel/errors.ts";
import { inputOf, itemsOf, readChain } from "./chain-items.ts";
import { reachResponse, type ResponsePorts } from "./reach-response.ts";

/** As OpenAI's clients ask for a page. */
export const listInputItemsInput = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  order: z.enum(["asc", "desc"]).default("desc"),
  /** The id of the item that the page begins after. */
  after: z.string().optional(),
});

export interface ItemPage {
  items: Fields[];
  hasMore: boolean;
}

/**
 * What a response was made of: all that was said before it in its chain, and its own input.
 * @throws AppError `missing_scope`, `not_found`, `conflict`, `context_too_long`, `invalid_request`, `unavailable`
 */
export async function listInputItems(
  context: Pick<Context, "principal">,
  ports: ResponsePorts,
  input: z.output<typeof listInputItemsInput> & { responseId: string },
): Promise<ItemPage> {
  const responses = await readChain(reachResponse(context.principal, ports, input.responseId));
  const own = responses.at(-1);
  const all = withOwnIds([...itemsOf(responses.slice(0, -1)), ...(own ? inputOf(own) : [])]);
  if (input.order === "desc") all.reverse();
  const start = input.after === undefined ? 0 : all.findIndex(({ id }) => id === input.after) + 1;
  if (input.after !== undefined && start === 0)
    throw new AppError("invalid_request", {
      message: "after must be the id of an item of this list.",
      param: "after",
    });
  const items = all.slice(start, start + input.limit);
  return { items, hasMore: start + input.limit < all.length };
}

/** Clients may send the same item in several turns; in a list each needs an id of its own, or pages would not end. */
function withOwnIds(items: readonly Fields[]): Fields[] {
  const seen = new Map<unknown, number>();
  return items.map((item) => {
    const times = (seen.get(item["id"]) ?? 0) + 1;
    seen.set(item["id"], times);
    return times === 1 ? item : { ...item, id: `${String(item["id"])}-${times}` };
  });
}
