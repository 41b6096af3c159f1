import pg from "pg";

/** The Postgres behind the proxy. */
export interface Target {
  host: string;
  port: number;
  /** As `pg` takes it: what a `?sslmode=` of the address means. None without it. */
  ssl?: pg.ClientConfig["ssl"];
}

/** Who a client of the proxy says that it is. The proxy keeps no passwords of its own: the target judges them. */
export interface Login {
  user: string;
  password: string;
  database: string;
}

/** What `pg` needs to reach the target as that user. */
export function connectionSettings(target: Target, login: Login): pg.ClientConfig {
  return {
    ...login,
    host: target.host,
    port: target.port,
    ssl: target.ssl ?? false,
    connectionTimeoutMillis: 10_000,
  };
}

/** Stops what a session of the target is doing, since nobody waits for its answer any more. */
export async function cancelSession(
  target: Target,
  login: Login,
  processId: number,
): Promise<void> {
  const client = new pg.Client(connectionSettings(target, login));
  client.on("error", () => undefined);
  await client.connect();
  await client.query("select pg_cancel_backend($1)", [processId]);
  await client.end();
}
