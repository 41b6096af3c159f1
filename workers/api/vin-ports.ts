import type { MakerFile } from "#core/vin/maker-file.ts";
import { makerFilePath } from "#core/vin/vin-data.ts";
import type { KeptReport, VinPorts } from "#core/vin/vin-ports.ts";
import type { Logger } from "#core/kernel/log.ts";
import type { AppContext } from "./app-types.ts";
import { ASSETS_ORIGIN } from "./assets-origin.ts";
import type { Deps } from "./deps.ts";

/** Where VINs are read from, for a request. */
export function vinPorts(c: AppContext): VinPorts {
  return vinPortsOf(c.get("deps"), {
    log: c.get("log"),
    background: (work) => c.executionCtx.waitUntil(work),
  });
}

/** Where VINs are read from: the static files, the isolate's memory, the shared cache and the services. */
export function vinPortsOf(
  { assets, cache, vinReports, vinDesk, vinOrder }: Deps,
  { log, background }: { log: Logger; background(work: Promise<unknown>): void },
): VinPorts {
  const reach = {
    fetch: (url: string, init: RequestInit) => fetch(url, init),
    log,
    now: Date.now,
  };
  return {
    async makerFile(code) {
      const answer = await assets.fetch(ASSETS_ORIGIN + makerFilePath(code));
      if (answer.status === 404) return null;
      if (!answer.ok) throw new Error(`The file of the maker code ${code} has ${answer.status}.`);
      return answer.json<MakerFile>(); // written by our own build, under a path of its version
    },
    kept: {
      async get(key) {
        const known = vinReports.get(key);
        if (known && known.until > Date.now()) return known;
        const kept = await cache.get<KeptReport>(key);
        if (kept) vinReports.set(key, kept);
        return kept;
      },
      async set(key, kept) {
        vinReports.set(key, kept);
        await cache.set(key, kept, Math.max(1, Math.ceil((kept.until - Date.now()) / 1_000)));
      },
    },
    order: vinOrder,
    ask: (service, vins) => vinDesk.ask(service, vins, reach),
    background,
  };
}
