import { eq } from "drizzle-orm";
import { models } from "#schema";
import { audit } from "../../audit/audit.ts";
import type { Context } from "../../kernel/context.ts";
import { requireSuperAdmin } from "../../kernel/principal.ts";
import { changeCatalog } from "../../switches/change-signal.ts";
import { MODEL_NAME, noSuchModel } from "./model.ts";

/**
 * Takes a model out of the catalog; its usage records keep its name. Super admins only.
 * @throws AppError `forbidden`, `not_found`
 */
export async function deleteModel(context: Context, input: { name: string }): Promise<void> {
  requireSuperAdmin(context.principal);
  const { name } = input;
  if (!MODEL_NAME.test(name)) throw noSuchModel(name);
  await context.transaction(async (inner) => {
    const [before] = await inner.db.delete(models).where(eq(models.name, name)).returning();
    if (!before) throw noSuchModel(name);
    await audit(inner, { action: "model.delete", teamId: null, targetId: name, before });
    await changeCatalog(inner);
  });
  context.log.info("model_deleted", { model: name });
}
