import { asc, gt } from "drizzle-orm";
import { models } from "#schema";
import type { Context } from "../../kernel/context.ts";
import { decodeCursor, type Page, type PageRequest, toPage } from "../../kernel/page.ts";
import { requireSuperAdmin } from "../../kernel/principal.ts";
import { type ModelDefinition, toModelDefinition } from "./model.ts";

/**
 * The models of the catalog by name. Super admins only.
 * @throws AppError `forbidden`
 */
export async function listModelDefinitions(
  context: Context,
  page: PageRequest,
): Promise<Page<ModelDefinition>> {
  requireSuperAdmin(context.principal);
  const after = page.cursor === undefined ? undefined : String(decodeCursor(page.cursor, 1)[0]);
  const rows = await context.db
    .select()
    .from(models)
    .where(after === undefined ? undefined : gt(models.name, after))
    .orderBy(asc(models.name))
    .limit(page.limit + 1);
  return toPage(rows, page.limit, toModelDefinition, (row) => [row.name]);
}
