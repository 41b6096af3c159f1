import { asc, gt } from "drizzle-orm";
import { providers } from "#schema";
import type { Context } from "../../kernel/context.ts";
import { decodeCursor, type Page, type PageRequest, toPage } from "../../kernel/page.ts";
import { requireSuperAdmin } from "../../kernel/principal.ts";
import { type Provider, toProvider } from "./provider.ts";

/**
 * The providers by name. Super admins only.
 * @throws AppError `forbidden`
 */
export async function listProviders(context: Context, page: PageRequest): Promise<Page<Provider>> {
  requireSuperAdmin(context.principal);
  const after = page.cursor === undefined ? undefined : String(decodeCursor(page.cursor, 1)[0]);
  const rows = await context.db
    .select()
    .from(providers)
    .where(after === undefined ? undefined : gt(providers.name, after))
    .orderBy(asc(providers.name))
    .limit(page.limit + 1);
  return toPage(rows, page.limit, toProvider, (row) => [row.name]);
}
