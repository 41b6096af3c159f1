import { neon, neonConfig, Pool } from "@neondatabase/serverless";
import { drizzle as drizzleOverHttp } from "drizzle-orm/neon-http";
import { drizzle as drizzleOverWebSocket } from "drizzle-orm/neon-serverless";
import type { Database } from "#core/kernel/context.ts";
import * as schema from "#schema";

/** Where the database is. `NEON_LOCAL_PROXY` points the driver at the stand-in that development and tests run. */
export interface DatabaseSettings {
  DATABASE_URL: string;
  NEON_LOCAL_PROXY: string | null;
}

function configureDriver(settings: DatabaseSettings): void {
  const proxy = settings.NEON_LOCAL_PROXY;
  if (proxy === null) return;
  neonConfig.fetchEndpoint = () => `http://${proxy}/sql`;
  neonConfig.wsProxy = () => `${proxy}/v2`;
  neonConfig.useSecureWebSocket = false;
  neonConfig.pipelineConnect = false;
}

/** Settings never change in an isolate's life, and what stands here holds no connection. */
const opened = new WeakMap<DatabaseSettings, Database>();

/** Single statements, each a request over HTTP: no connection to open. */
export function openDatabase(settings: DatabaseSettings): Database {
  let database = opened.get(settings);
  if (!database) {
    configureDriver(settings);
    database = drizzleOverHttp(neon(settings.DATABASE_URL), { schema });
    opened.set(settings, database);
  }
  return database;
}

/**
 * One transaction over a WebSocket of its own. Postgres errors come out as the driver throws them.
 * @param work gets the transaction; what it throws rolls everything back
 */
export async function inTransaction<T>(
  settings: DatabaseSettings,
  work: (transaction: Database) => Promise<T>,
): Promise<T> {
  configureDriver(settings);
  const pool = new Pool({ connectionString: settings.DATABASE_URL, max: 1 });
  try {
    return await drizzleOverWebSocket(pool, { schema }).transaction(work);
  } finally {
    await pool.end();
  }
}
