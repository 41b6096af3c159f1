import { asc, eq, sql } from "drizzle-orm";
import { models, providers } from "#schema";
import { audit } from "../../audit/audit.ts";
import type { Context } from "../../kernel/context.ts";
import { AppError } from "../../kernel/errors.ts";
import { requireSuperAdmin } from "../../kernel/principal.ts";
import { changeCatalog } from "../../switches/change-signal.ts";
import { noSuchProvider, PROVIDER_NAME } from "./provider.ts";

/** How many of the models in its way a refusal names. */
const NAMED = 5;

/**
 * Deletes a provider that no model uses, with its key. Super admins only.
 * @throws AppError `forbidden`, `not_found`, `conflict` while models use it
 */
export async function deleteProvider(context: Context, input: { name: string }): Promise<void> {
  requireSuperAdmin(context.principal);
  const { name } = input;
  if (!PROVIDER_NAME.test(name)) throw noSuchProvider(name);
  await context.transaction(async (inner) => {
    // The lock keeps out a model that is being put on this provider at the same moment; see putModel.
    const [before] = await inner.db
      .select()
      .from(providers)
      .where(eq(providers.name, name))
      .for("update");
    if (!before) throw noSuchProvider(name);
    await refuseWhileUsed(inner, name);
    await inner.db.delete(providers).where(eq(providers.name, name));
    await audit(inner, { action: "provider.delete", teamId: null, targetId: name, before });
    await changeCatalog(inner);
  });
  context.log.info("provider_deleted", { provider: name });
}

async function refuseWhileUsed(context: Context, name: string): Promise<void> {
  const users = await context.db
    .select({ name: models.name })
    .from(models)
    .where(sql`${models.targets} @> ${JSON.stringify([{ provider: name }])}::jsonb`)
    .orderBy(asc(models.name))
    .limit(NAMED + 1);
  if (users.length === 0) return;
  const names = users.slice(0, NAMED).map((user) => user.name);
  const list = names.join(", ") + (users.length > NAMED ? " and others" : "");
  throw new AppError("conflict", {
    message: `Models use this provider: ${list}. Delete them or give them another target first.`,
  });
}
