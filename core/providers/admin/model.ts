import type { models, ModelTarget } from "#schema";
import { AppError } from "../../kernel/errors.ts";
import { type ModelPrices, pricesOf, type Strategy } from "../catalog.ts";

/** A model as admins see it: an alias for its targets, with their prices. */
export interface ModelDefinition {
  name: string;
  targets: ModelTarget[];
  strategy: Strategy;
  hedgeAfterMs: number | null;
  prices: ModelPrices;
  maxOutputTokens: number | null;
  contextTokens: number | null;
  createdAt: Date;
  updatedAt: Date;
}

/** What a model may be called: slashes and colons too, as in meta-llama/llama-3:free. */
export const MODEL_NAME = /^[A-Za-z0-9._:/-]{1,200}$/;

export function toModelDefinition(row: typeof models.$inferSelect): ModelDefinition {
  const { name, targets, strategy, hedgeAfterMs, maxOutputTokens, contextTokens } = row;
  const { createdAt, updatedAt } = row;
  const limits = { maxOutputTokens, contextTokens };
  const prices = pricesOf(row);
  return { name, targets, strategy, hedgeAfterMs, prices, ...limits, createdAt, updatedAt };
}

export function noSuchModel(name: string): AppError {
  return new AppError("not_found", {
    message: `There is no model ${JSON.stringify(name.slice(0, 200))} in the catalog. GET /v1/admin/models lists those that there are.`,
  });
}
