import { switchboard } from "#schema";
import type { Context } from "../kernel/context.ts";
import { requireSuperAdmin } from "../kernel/principal.ts";
import type { Switches } from "./switches.ts";

/**
 * What is switched off, from Postgres itself. Super admins only.
 * @throws AppError `forbidden`
 */
export async function getSwitches(context: Context): Promise<Switches> {
  requireSuperAdmin(context.principal);
  const [row] = await context.db.select().from(switchboard);
  if (!row) throw new Error("The switchboard has no row; its migration makes it.");
  return row;
}
