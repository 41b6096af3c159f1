import { fileURLToPath } from "node:url";
import { drizzle } from "drizzle-orm/node-postgres";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import pg from "pg";

const MIGRATIONS = fileURLToPath(new URL("../schema/migrations", import.meta.url));
/** Any constant will do; two migrations of one database must not run at once. */
const MIGRATION_LOCK = 7_215_001;

/**
 * Brings a database to the schema of this code. Safe to run again and from several processes at once.
 * @param databaseUrl any Postgres that speaks its own protocol over TCP; Neon does
 */
export async function migrateDatabase(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query("SELECT pg_advisory_lock($1)", [MIGRATION_LOCK]);
    await migrate(drizzle(client), { migrationsFolder: MIGRATIONS });
  } finally {
    await client.end();
  }
}

async function main(): Promise<void> {
  const databaseUrl = process.env["DATABASE_URL"];
  if (!databaseUrl) {
    console.error(
      "Set DATABASE_URL to the database to migrate, such as postgresql://user:password@host/name?sslmode=require",
    );
    process.exit(1);
  }
  await migrateDatabase(databaseUrl);
  console.log("The database has the schema that this version expects.");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
