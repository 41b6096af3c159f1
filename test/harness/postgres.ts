import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import pg from "pg";
import { migrateDatabase } from "#dev/migrate.ts";
import { startNeonProxy } from "#dev/stand-ins/neon-proxy.ts";
import { startPostgres } from "#dev/stand-ins/postgres.ts";

/** A real Postgres with the proxy that Neon's driver speaks to, and a migrated database to copy from. */
export interface PostgresServer {
  /** URL of the server, without a database name and without a slash at its end. */
  serverUrl: string;
  /** What NEON_LOCAL_PROXY wants. */
  neonProxy: string;
}

const TEMPLATE = "switchyard_template";

/** Starts the server that all test files share. What must cost what it costs when it is kept asks for `durable`. */
export async function startPostgresServer({ durable = false } = {}): Promise<
  PostgresServer & { stop(): Promise<void> }
> {
  const folder = await mkdtemp(path.join(tmpdir(), "switchyard-test-"));
  const postgres = await startPostgres({ dataDir: path.join(folder, "postgres"), durable });
  const serverUrl = postgres.url.replace(/\/[^/]*$/, "");
  const proxy = await startNeonProxy({ target: { host: "127.0.0.1", port: postgres.port } });
  await onServer(serverUrl, `CREATE DATABASE ${TEMPLATE}`);
  await migrateDatabase(`${serverUrl}/${TEMPLATE}`);
  return {
    serverUrl,
    neonProxy: proxy.address,
    async stop() {
      await proxy.stop();
      await postgres.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A migrated, empty database of its own. */
export async function createDatabase(
  server: PostgresServer,
): Promise<{ url: string; drop(): Promise<void> }> {
  const name = `test_${crypto.randomUUID().replaceAll("-", "")}`;
  await onServer(server.serverUrl, `CREATE DATABASE ${name} TEMPLATE ${TEMPLATE} STRATEGY wal_log`);
  return {
    url: `${server.serverUrl}/${name}`,
    drop: () => onServer(server.serverUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}

async function onServer(serverUrl: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: `${serverUrl}/postgres` });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
