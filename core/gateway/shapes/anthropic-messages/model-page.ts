import type { ListedModel } from "../../../providers/list-models.ts";
import { invalid } from "../../chat-request.ts";

/** How many models a page has, as Anthropic's. */
const DEFAULT_LIMIT = 20;
const LARGEST_LIMIT = 1_000;

/** A model as Anthropic's clients know it; what nobody here knows is null. */
export const modelInfo = (model: ListedModel) => ({
  type: "model" as const,
  id: model.name,
  display_name: model.name,
  created_at: new Date(model.createdAt).toISOString(),
  capabilities: null,
  deprecated_at: null,
  retires_at: null,
  lifecycle: "active" as const,
  line: null,
  max_input_tokens: null,
  max_tokens: null,
});

/**
 * A page of models in Anthropic's shape.
 * @param query `limit`, and `after_id` or `before_id`
 * @throws AppError `invalid_request`
 */
export function modelPage(models: ListedModel[], query: Record<string, string>) {
  const { after_id: after, before_id: before } = query;
  const limit = readLimit(query["limit"]);
  const start = after === undefined ? 0 : placeOf(models, after, "after_id") + 1;
  const end = before === undefined ? models.length : placeOf(models, before, "before_id");
  const between = models.slice(start, end);
  const page = before === undefined ? between.slice(0, limit) : between.slice(-limit);
  return {
    data: page.map(modelInfo),
    has_more: between.length > page.length,
    first_id: page[0]?.name ?? null,
    last_id: page.at(-1)?.name ?? null,
  };
}

function readLimit(value: string | undefined): number {
  if (value === undefined) return DEFAULT_LIMIT;
  const limit = Number(value);
  if (Number.isInteger(limit) && limit >= 1 && limit <= LARGEST_LIMIT) return limit;
  throw invalid("limit", `must be a whole number from 1 to ${LARGEST_LIMIT}`);
}

function placeOf(models: ListedModel[], id: string, param: string): number {
  const place = models.findIndex(({ name }) => name === id);
  if (place >= 0) return place;
  throw invalid(param, "must be the id of a listed model");
}
