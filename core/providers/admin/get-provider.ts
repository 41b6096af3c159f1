import { eq } from "drizzle-orm";
import { providers } from "#schema";
import type { Context } from "../../kernel/context.ts";
import { requireSuperAdmin } from "../../kernel/principal.ts";
import { noSuchProvider, type Provider, PROVIDER_NAME, toProvider } from "./provider.ts";

/**
 * Reads a provider. Super admins only.
 * @throws AppError `forbidden`, `not_found`
 */
export async function getProvider(context: Context, input: { name: string }): Promise<Provider> {
  requireSuperAdmin(context.principal);
  if (!PROVIDER_NAME.test(input.name)) throw noSuchProvider(input.name);
  const [row] = await context.db.select().from(providers).where(eq(providers.name, input.name));
  if (!row) throw noSuchProvider(input.name);
  return toProvider(row);
}
