import { signCallback, type UnsignedCallback } from "#core/jobs/callbacks/sign-callback.ts";
import { openDatabase } from "#platform/database.ts";
import { depsOf } from "./deps.ts";

/** Signs for the cron Worker, which sends callbacks and has no MASTER_KEY. Null where the team has no secret. */
export async function signForDelivery(
  env: ApiEnv,
  callback: UnsignedCallback,
): Promise<string | null> {
  const { settings, secrets } = await depsOf(env);
  return signCallback({ db: openDatabase(settings), now: () => new Date(), secrets }, callback);
}
