import { fileURLToPath } from "node:url";
import pg from "pg";
import { unstable_readConfig } from "wrangler";
import { z } from "zod";
import { createRedis } from "../../dev/stand-ins/redis.ts";
import { startUpstashRest } from "../../dev/stand-ins/upstash-rest.ts";
import { ApiClient } from "../../test/harness/api-client.ts";
import { createDatabase, startPostgresServer } from "../../test/harness/postgres.ts";
import { startWorkerd, type WorkerdWorker } from "./workerd.ts";

const SUPER_ADMIN_KEY = "bench-super-admin-key-0123456789";
const CACHE_TOKEN = "bench-token";

const root = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/**
 * The built Workers on plain workerd, a real Postgres behind the proxy that speaks to Neon's driver, and the stand-in
 * for Upstash. As when they are deployed, the isolate that answers requests is apart from what it calls: in a second
 * process run the Meter, the queues and the cron Worker, which no client waits for.
 */
export async function startSwitchyardStack(options: {
  inspectorPort?: number | undefined;
  onExit: (code: number | null) => void;
}) {
  const postgres = await startPostgresServer();
  const database = await createDatabase(postgres);
  const upstash = await startUpstashRest({ backend: createRedis(), token: CACHE_TOKEN });
  const pool = new pg.Pool({ connectionString: database.url, max: 2 });
  const vars = {
    DATABASE_URL: database.url,
    NEON_LOCAL_PROXY: postgres.neonProxy,
    UPSTASH_REDIS_REST_URL: upstash.url,
    UPSTASH_REDIS_REST_TOKEN: CACHE_TOKEN,
    SUPER_ADMIN_API_KEYS: SUPER_ADMIN_KEY,
    MASTER_KEY: Buffer.alloc(32, 7).toString("base64"),
    ALLOW_PRIVATE_UPSTREAMS: "1",
    NHTSA_URL: "off",
  };
  const api = workerOf("api", "wrangler.toml", vars);
  const cron = workerOf("cron", "workers/cron/wrangler.toml", vars);
  const { onExit } = options;
  const behind = await startWorkerd([api.worker, cron.worker, queuesOf(cron)], { onExit });
  const distant = distantMeter(api.worker, behind.debugAddress);
  const front: WorkerdWorker = {
    ...api.worker,
    queues: {},
    objects: { METER: { className: "Meter", worker: distant.name } },
    classes: [],
  };
  const workerd = await startWorkerd([front, distant], options);
  const url = `http://127.0.0.1:${workerd.port}`;
  return {
    url,
    pid: workerd.pid,
    pidBehind: behind.pid,
    admin: new ApiClient(() => url, SUPER_ADMIN_KEY),
    rows: async (text: string, values: unknown[]): Promise<unknown[]> =>
      (await pool.query(text, values)).rows,
    stop: async () => {
      await workerd.stop();
      await behind.stop();
      await pool.end();
      await upstash.stop();
      await postgres.stop();
    },
  };
}

/** What the bench needs of a wrangler file. */
const wranglerConfig = z.object({
  compatibility_date: z.string(),
  compatibility_flags: z.array(z.string()),
  durable_objects: z.object({
    bindings: z.array(
      z.object({ name: z.string(), class_name: z.string(), script_name: z.string().optional() }),
    ),
  }),
  migrations: z.array(z.object({ new_sqlite_classes: z.array(z.string()).optional() })),
  assets: z.object({ binding: z.string() }).optional(),
  queues: z.object({
    producers: z.array(z.object({ binding: z.string(), queue: z.string() })).optional(),
    consumers: z
      .array(
        z.object({
          queue: z.string(),
          max_batch_size: z.number().optional(),
          max_batch_timeout: z.number().optional(),
          max_retries: z.number().optional(),
          dead_letter_queue: z.string().optional(),
        }),
      )
      .optional(),
  }),
});

type Described = { config: z.infer<typeof wranglerConfig>; worker: WorkerdWorker };

/** A Worker as its wrangler file describes it. */
function workerOf(name: string, file: string, vars: Record<string, string>): Described {
  const config = wranglerConfig.parse(unstable_readConfig({ config: root(file) }));
  const objects = config.durable_objects.bindings.map((binding) => {
    const worker = binding.script_name?.replace("switchyard-", "");
    const { class_name: className } = binding;
    return [binding.name, worker === undefined ? { className } : { className, worker }] as const;
  });
  const queues = (config.queues.producers ?? []).map(
    ({ binding, queue }) => [binding, queue] as const,
  );
  const worker: WorkerdWorker = {
    name,
    source: { path: root(`dist/${name}/index.js`) },
    compatibilityDate: config.compatibility_date,
    compatibilityFlags: config.compatibility_flags,
    vars,
    queues: Object.fromEntries(queues),
    folders: config.assets ? { [config.assets.binding]: root("dist/assets") } : {},
    objects: Object.fromEntries(objects),
    classes: config.migrations.flatMap(({ new_sqlite_classes = [] }) => new_sqlite_classes),
  };
  return { config, worker };
}

/** The Worker whose Meters pass on what they are asked to those of a Worker in another process. */
function distantMeter(owner: WorkerdWorker, address: string): WorkerdWorker {
  return {
    name: "distant",
    source: { path: fileURLToPath(new URL("distant-meter.js", import.meta.url)) },
    compatibilityDate: owner.compatibilityDate,
    compatibilityFlags: owner.compatibilityFlags,
    vars: { ADDRESS: address },
    classes: ["Meter"],
    standsFor: owner.name,
    reaches: "PROCESS",
  };
}

/** The Worker that workerd brings as its Queues; it delivers to the consumers of the cron Worker. */
function queuesOf({ config, worker }: Described): WorkerdWorker {
  const consumers = (config.queues.consumers ?? []).map(
    ({ queue, max_batch_size, max_batch_timeout, max_retries, dead_letter_queue }) =>
      [
        queue,
        {
          consumer: "CONSUMER",
          maxBatchSize: max_batch_size,
          maxBatchTimeout: max_batch_timeout,
          maxRetries: max_retries,
          deadLetterQueue: dead_letter_queue,
        },
      ] as const,
  );
  return {
    name: "queues",
    source: { bundled: "/workerd/queues.js" },
    compatibilityDate: "2026-11-01",
    compatibilityFlags: ["service_binding_extra_handlers"],
    json: { CONSUMERS: Object.fromEntries(consumers) },
    services: { CONSUMER: worker.name },
    objects: { SHARD: { className: "QueueShard" } },
    classes: ["QueueShard"],
  };
}
