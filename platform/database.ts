import { neon, neonConfig, Pool } from "@neondatabase/serverless";
import { drizzle as drizzleOverHttp } from "drizzle-orm/neon-http";
import { drizzle as drizzleOverWebSocket } from "drizzle-orm/neon-serverless";
import type { Database } from "#core/kernel/context.ts";
import { databaseUnavailable } from "#core/kernel/errors.ts";
import * as schema from "#schema";

/** Where the database is. `NEON_LOCAL_PROXY` points the driver at the stand-in that development and tests run. */
export interface DatabaseSettings {
  DATABASE_URL: string;
  NEON_LOCAL_PROXY: string | null;
}

/** A statement or a connection that takes longer counts as failed, in milliseconds; without it a silent server is waited for without end. */
const STATEMENT_MS = 20_000;
const CONNECT_MS = 5_000;

function configureDriver(settings: DatabaseSettings): void {
  neonConfig.fetchFunction = (url: string, init: RequestInit) =>
    fetch(url, { ...init, signal: AbortSignal.timeout(STATEMENT_MS) });
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
  const pool = new Pool({
    connectionString: settings.DATABASE_URL,
    max: 1,
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: STATEMENT_MS,
  });
  // A connection that breaks tells it twice: to the statement that runs, and as an event that nobody may leave unheard.
  pool.on("error", () => undefined);
  try {
    // The driver throws events in place of errors where it cannot connect.
    const client = await pool.connect().catch((cause: unknown) => {
      throw databaseUnavailable(cause);
    });
    try {
      return await drizzleOverWebSocket(client, { schema }).transaction(work);
    } finally {
      client.release(true);
    }
  } finally {
    await pool.end();
  }
}
