import { Redis } from "@upstash/redis/cloudflare";

/** A cache: losing it costs time, never truth. So nothing here throws; a failure is a miss, and is told to `onFailure`. */
export interface Cache {
  get<T>(key: string): Promise<T | null>;
  /** @param seconds how long it is kept */
  set(key: string, value: unknown, seconds: number): Promise<void>;
  delete(key: string): Promise<void>;
  /** All fields of a hash; null where the cache does not answer. */
  readHash<T>(key: string): Promise<Record<string, T> | null>;
  /** Sets a field of a hash, or removes it with null. @param seconds how long the hash is kept from now on */
  writeHash(key: string, field: string, value: unknown, seconds: number): Promise<void>;
  /** @throws when the cache does not answer; for health checks */
  ping(): Promise<void>;
}

/** The longest that a request waits for the cache, in milliseconds. */
const TIMEOUT_MS = 1000;

export function openCache(
  settings: { UPSTASH_REDIS_REST_URL: string; UPSTASH_REDIS_REST_TOKEN: string },
  onFailure: (operation: string, error: unknown) => void,
  timeoutMs: number = TIMEOUT_MS,
): Cache {
  const redis = new Redis({
    url: settings.UPSTASH_REDIS_REST_URL,
    token: settings.UPSTASH_REDIS_REST_TOKEN,
    enableTelemetry: false,
    retry: false,
    signal: () => AbortSignal.timeout(timeoutMs),
  });
  const orMiss = async <T>(operation: string, work: () => Promise<T>, miss: T): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      onFailure(operation, error);
      return miss;
    }
  };
  return {
    get: <T>(key: string) => orMiss("get", () => redis.get<T>(key), null),
    set: (key, value, seconds) =>
      orMiss("set", async () => void (await redis.set(key, value, { ex: seconds })), undefined),
    delete: (key) => orMiss("delete", async () => void (await redis.del(key)), undefined),
    readHash: <T>(key: string) =>
      orMiss(
        "hgetall",
        async (): Promise<Record<string, T> | null> =>
          (await redis.hgetall<Record<string, T>>(key)) ?? {},
        null,
      ),
    writeHash: (key, field, value, seconds) =>
      orMiss(
        "hset",
        async () => {
          if (value === null) await redis.hdel(key, field);
          else
            await redis
              .pipeline()
              .hset(key, { [field]: value })
              .expire(key, seconds)
              .exec();
        },
        undefined,
      ),
    ping: async () => void (await redis.ping()),
  };
}
