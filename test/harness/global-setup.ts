import type { TestProject } from "vitest/node";
import { startPostgresServer, type PostgresServer } from "./postgres.ts";

declare module "vitest" {
  interface ProvidedContext {
    postgres: PostgresServer;
  }
}

/** One Postgres for the whole run; each stack has a database of its own in it. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const server = await startPostgresServer();
  project.provide("postgres", { serverUrl: server.serverUrl, neonProxy: server.neonProxy });
  return () => server.stop();
}
