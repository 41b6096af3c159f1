import { isId } from "../kernel/ids.ts";

/**
 * What the id of a response says: which request made it, and which response began its chain, whose object keeps it. The
 * first of a chain has the rest of its request's id; later ones have the first one's besides, as in `resp_<own>_<first>`.
 */
export interface ResponseName {
  id: string;
  /** The id without its prefix; ids of items are made of it. */
  rest: string;
  /** The rest of the id of the chain's first response. */
  chain: string;
}

const isRest = (text: string) => isId("request", `req_${text}`);

/**
 * The name of a request's response.
 * @param previous the response that it goes on from
 */
export function nameResponse(requestId: string, previous: ResponseName | null): ResponseName {
  const own = requestId.slice("req_".length);
  const rest = previous === null ? own : `${own}_${previous.chain}`;
  return { id: `resp_${rest}`, rest, chain: previous?.chain ?? own };
}

/** Reads the id of a response; null for what is none. It says nothing about whether there is one. */
export function parseResponseId(id: string): ResponseName | null {
  const [, own = "", first = own] = /^resp_([^_]+)(?:_([^_]+))?$/.exec(id) ?? [];
  if (!isRest(own) || !isRest(first)) return null;
  return { id, rest: id.slice("resp_".length), chain: first };
}

/** The response that an item of an answer belongs to, by the item's id, such as `msg_<rest>_0`; null for other ids. */
export function responseOfItem(itemId: string): ResponseName | null {
  const rest = /^[a-z]+_(.+)_\d+$/.exec(itemId)?.[1];
  return rest === undefined ? null : parseResponseId(`resp_${rest}`);
}
