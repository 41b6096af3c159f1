import type { MakerFile } from "#core/vin/maker-file.ts";
import type { VinPorts } from "#core/vin/read-vin.ts";
import { makerFilePath } from "#core/vin/vin-data.ts";
import type { VinReport } from "#core/vin/vin-report.ts";
import type { AppContext } from "./app-types.ts";

/** How long reports are kept, in seconds: 30 days. */
const KEPT_SECONDS = 30 * 24 * 60 * 60;
/** Static files have no host of their own. */
const ASSETS_ORIGIN = "https://assets.invalid";

/** Where readVin gets its data: the static files, the isolate's memory and the shared cache. */
export function vinPorts(c: AppContext): VinPorts {
  const { assets, cache, vinReports } = c.get("deps");
  const remember = (key: string, report: VinReport) =>
    vinReports.set(key, { report, until: Date.now() + KEPT_SECONDS * 1_000 });
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
        if (known && known.until > Date.now()) return known.report;
        const report = await cache.get<VinReport>(key);
        if (report) remember(key, report);
        return report;
      },
      async set(key, report) {
        remember(key, report);
        await cache.set(key, report, KEPT_SECONDS);
      },
    },
    background: (work) => c.executionCtx.waitUntil(work),
  };
}
