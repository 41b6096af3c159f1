import { z } from "zod";
import type { ConfiguredService } from "#core/providers/catalog.ts";
import type { Cache } from "./cache.ts";

const modelList = z.looseObject({ data: z.array(z.looseObject({ id: z.string() })) });

const CACHE_KEY = "discovered-models";
const CACHE_SECONDS = 300;
const TIMEOUT_MS = 5_000;
/** A service may list anything; no more names than this are taken. */
const LIMIT = 1_000;

/** The models that a configured service lists, remembered for five minutes; none where it does not tell. */
export async function discoverModels(service: ConfiguredService, cache: Cache): Promise<string[]> {
  if (service.url === null) return [];
  const key = `${CACHE_KEY}:${service.url}`;
  const known = await cache.get<string[]>(key);
  if (known) return known;
  const names = await askModels(service.url, service.apiKey).catch(() => []); // an empty list says it well enough
  if (names.length > 0) await cache.set(key, names, CACHE_SECONDS);
  return names;
}

async function askModels(url: string, apiKey: string | null): Promise<string[]> {
  const response = await fetch(`${url}/models`, {
    headers: apiKey === null ? {} : { authorization: `Bearer ${apiKey}` },
    signal: AbortSignal.timeout(TIMEOUT_MS),
    redirect: "manual",
  });
  if (!response.ok) return [];
  const parsed = modelList.safeParse(await response.json());
  return parsed.success ? parsed.data.data.map((model) => model.id).slice(0, LIMIT) : [];
}
