import type { Fields } from "#core/chat/loose-json.ts";
import { listOf, objectOf } from "#core/chat/loose-json.ts";
import type { ModelCall } from "#core/gateway/model-call.ts";
import { isAbsent } from "#core/gateway/shapes/fields.ts";
import type { EarlierItems } from "#core/gateway/shapes/responses/read-items.ts";
import { readResponsesBody } from "#core/gateway/shapes/responses/read-request.ts";
import type { GuardRails } from "#core/guard-rails/guard-rails.ts";
import { guardInput } from "#core/guard-rails/guard-request.ts";
import { type Earlier, loadEarlier } from "#core/responses/load-earlier.ts";
import type { ResponsePorts } from "#core/responses/reach-response.ts";
import { openSummaries } from "#core/responses/summaries.ts";
import type { AppContext } from "./app-types.ts";
import { guardRailsOf } from "./guard-rails-of.ts";

/** A request of the Responses API, with what was said before it. */
export interface AskedResponse {
  /** As it went through the team's guard rails. */
  body: Fields;
  /** Whether these have masked some of it. */
  inputMasked: boolean;
  previousId: string | null;
  store: boolean;
  /** As it is kept. */
  earlier: Earlier;
  /** As a model can read it: summaries are opened. */
  said: EarlierItems;
}

export const responsePorts = (c: AppContext): ResponsePorts => ({
  openChain: c.get("deps").responses,
});

/**
 * Reads a request's body, and loads what it goes on from.
 * @throws AppError `invalid_json`, `invalid_request`, `content_filter`, `context_too_long`, `unavailable`
 */
export async function readAsked(
  c: AppContext,
  text: string,
  call: ModelCall,
): Promise<AskedResponse> {
  const { body: asSent, previousId, store } = readResponsesBody(text);
  const rails = await guardRailsOf(c, call.teamId);
  const body = rails ? guardBody(rails, asSent) : asSent; // what is kept of it, too, went through them
  const asked = { previousId, input: body["input"] };
  const earlier = await loadEarlier(call.principal, responsePorts(c), asked);
  const said = await readable(c, call.teamId, earlier);
  const inputMasked =
    body["input"] !== asSent["input"] || body["instructions"] !== asSent["instructions"];
  return { body, inputMasked, previousId, store, earlier, said };
}

async function readable(
  c: AppContext,
  teamId: string,
  { items, input }: Earlier,
): Promise<EarlierItems> {
  const { secrets } = c.get("deps");
  const open = (list: readonly Fields[], pathOf: (index: number) => string) =>
    openSummaries(secrets, teamId, list, pathOf);
  const [before, own] = await Promise.all([
    open(items, () => "previous_response_id"),
    Array.isArray(input) ? openOwn(input, open) : input,
  ]);
  return { items: before, input: own };
}

/** Items that are none are left for whoever reads them to refuse. */
async function openOwn(
  input: readonly unknown[],
  open: (list: readonly Fields[], pathOf: (index: number) => string) => Promise<readonly Fields[]>,
): Promise<readonly unknown[]> {
  const items = listOf(input).map(objectOf);
  const opened = await open(items, (index) => `input.${index}`);
  return opened === items ? input : opened;
}

/** Where a request has no input of its own, what it goes on from is all there is. */
export function allSaid({ items, input }: EarlierItems): EarlierItems {
  return isAbsent(input) && items.length > 0 ? { items: [], input: items } : { items, input };
}

function guardBody(rails: GuardRails, body: Fields): Fields {
  const said = { input: body["input"], instructions: body["instructions"] };
  return {
    ...body,
    input: guardInput(rails, said.input, "input"),
    ...(said.instructions === undefined
      ? {}
      : { instructions: guardInput(rails, said.instructions, "instructions") }),
  };
}
