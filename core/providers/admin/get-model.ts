import { eq } from "drizzle-orm";
import { models } from "#schema";
import type { Context } from "../../kernel/context.ts";
import { requireSuperAdmin } from "../../kernel/principal.ts";
import { type ModelDefinition, MODEL_NAME, noSuchModel, toModelDefinition } from "./model.ts";

/**
 * Reads a model of the catalog. Super admins only.
 * @throws AppError `forbidden`, `not_found`
 */
export async function getModel(
  context: Context,
  input: { name: string },
): Promise<ModelDefinition> {
  requireSuperAdmin(context.principal);
  if (!MODEL_NAME.test(input.name)) throw noSuchModel(input.name);
  const [row] = await context.db.select().from(models).where(eq(models.name, input.name));
  if (!row) throw noSuchModel(input.name);
  return toModelDefinition(row);
}
