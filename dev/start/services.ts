import { randomBytes } from "node:crypto";
import path from "node:path";
import pg from "pg";
import { startNeonProxy } from "../stand-ins/neon-proxy.ts";
import { startPostgres } from "../stand-ins/postgres.ts";
import { connectRedis, createRedis } from "../stand-ins/redis.ts";
import { startUpstashRest } from "../stand-ins/upstash-rest.ts";
import type { Cleanup } from "./cleanup.ts";
import { StartError } from "../start-error.ts";
import type { StartSettings } from "./settings.ts";

/** What the Workers keep their data in, as it runs for this start. */
export interface Services {
  /** What the Workers have to know of it. */
  variables: Record<string, string>;
  /** The database for the migrations, over TCP. */
  migrationUrl: string;
  /** What was chosen, for people. */
  database: string;
  cache: string;
}

/** Called when something that must run ends by itself. */
export type OnFailure = (message: string) => void;

/** Starts a stand-in for each service that is not configured, and a local front for those that are not Neon or Upstash. */
export async function startServices(
  settings: StartSettings,
  cleanup: Cleanup,
  onFailure: OnFailure,
): Promise<Services> {
  const [database, cache] = await Promise.all([
    startDatabase(settings, cleanup, onFailure),
    startCache(settings, cleanup),
  ]);
  return {
    variables: { ...database.variables, ...cache.variables },
    migrationUrl: database.migrationUrl,
    database: database.name,
    cache: cache.name,
  };
}

interface Database {
  variables: Record<string, string>;
  migrationUrl: string;
  name: string;
}

async function startDatabase(
  settings: StartSettings,
  cleanup: Cleanup,
  onFailure: OnFailure,
): Promise<Database> {
  const given = settings.values.get("DATABASE_URL");
  if (given === undefined) return startEmbedded(settings, cleanup, onFailure);
  const { hostname } = new URL(given);
  if (hostname.endsWith(".neon.tech")) {
    // Migrations hold a lock for their session, which a pooled endpoint does not give them.
    const migrationUrl = given.replace("-pooler.", ".");
    return { variables: { DATABASE_URL: given }, migrationUrl, name: `Neon at ${hostname}` };
  }
  return frontOther(given, cleanup);
}

async function startEmbedded(
  settings: StartSettings,
  cleanup: Cleanup,
  onFailure: OnFailure,
): Promise<Database> {
  const postgres = await startPostgres({
    dataDir: path.join(settings.dataDir, "postgres"),
    durable: true,
  });
  cleanup.add("Postgres", () => postgres.stop());
  void postgres.ended.then((lines) => onFailure(`Postgres ended. Its last lines:\n${lines}`));
  const proxy = await startNeonProxy({ target: { host: "127.0.0.1", port: postgres.port } });
  cleanup.add("the Neon stand-in", () => proxy.stop());
  const variables = { DATABASE_URL: postgres.url, NEON_LOCAL_PROXY: proxy.address };
  return { variables, migrationUrl: postgres.url, name: "embedded Postgres" };
}

/** The Workers' driver speaks to Neon only, so another Postgres gets Neon's protocol in front. */
async function frontOther(given: string, cleanup: Cleanup): Promise<Database> {
  const { host, port, ssl, user, password, database } = new pg.Client({ connectionString: given });
  const client = new pg.Client({ connectionString: given, connectionTimeoutMillis: 10_000 });
  try {
    await client.connect();
    await client.end();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StartError(
      `The Postgres in DATABASE_URL (${host}:${port}) can't be used: ${reason}`,
      { cause },
    );
  }
  const proxy = await startNeonProxy({ target: { host, port, ssl } });
  cleanup.add("the Neon stand-in", () => proxy.stop());
  // The driver wants every part in the address; a server that asks for no password does not look at it.
  const address = new URL(`postgresql://${host.startsWith("/") ? "localhost" : host}:${port}`);
  address.username = encodeURIComponent(user ?? "postgres");
  address.password = encodeURIComponent(password ?? "none");
  address.pathname = `/${encodeURIComponent(database ?? user ?? "postgres")}`;
  return {
    variables: { DATABASE_URL: address.href, NEON_LOCAL_PROXY: proxy.address },
    migrationUrl: given,
    name: `Postgres at ${host}:${port}`,
  };
}

interface Cache {
  variables: Record<string, string>;
  name: string;
}

async function startCache(settings: StartSettings, cleanup: Cleanup): Promise<Cache> {
  const [url, token] = [
    settings.values.get("UPSTASH_REDIS_REST_URL"),
    settings.values.get("UPSTASH_REDIS_REST_TOKEN"),
  ];
  if (url !== undefined && token !== undefined) {
    const variables = { UPSTASH_REDIS_REST_URL: url, UPSTASH_REDIS_REST_TOKEN: token };
    return { variables, name: `Upstash at ${new URL(url).host}` };
  }
  const redisUrl = settings.values.get("REDIS_URL");
  const backend = redisUrl === undefined ? createRedis() : connectRedis(redisUrl);
  cleanup.add("the cache", () => backend.close());
  if (redisUrl !== undefined) {
    await backend.execute([["PING"]]).catch((cause: Error) => {
      throw new StartError(`The Redis in REDIS_URL can't be used: ${cause.message}`, { cause });
    });
  }
  const localToken = randomBytes(24).toString("base64url");
  const rest = await startUpstashRest({ backend, token: localToken });
  cleanup.add("the Upstash stand-in", () => rest.stop());
  return {
    variables: { UPSTASH_REDIS_REST_URL: rest.url, UPSTASH_REDIS_REST_TOKEN: localToken },
    name: redisUrl === undefined ? "embedded cache" : `Redis at ${new URL(redisUrl).host}`,
  };
}
