import { AppError } from "../kernel/errors.ts";
import { type Catalog, type ConfiguredService, type ModelRoute, routeTo } from "./catalog.ts";

/** Where the catalog is in the shared cache: another name for each change of its shape. */
export const CATALOG_KEY = "catalog:2";

/** Where the catalog comes from when the isolate's copy is old. */
export interface CatalogSources {
  /** The latest version there is, as the signal tells it; an older copy is not used. */
  version: number;
  readCache(): Promise<Catalog | null>;
  writeCache(catalog: Catalog): Promise<void>;
  load(): Promise<Catalog>;
  /** Opens a provider's sealed key. */
  openKey(provider: string, sealed: string): Promise<string>;
  background(work: Promise<unknown>): void;
  now(): number;
}

/** A copy is used without a look for this long, then renewed in the background … */
const FRESH_MS = 5_000;
/** … and not used at all from this age on. */
const STALE_MS = 600_000;
/** A renewal that has not come back by then died with its request. */
const RENEWAL_LOST_MS = 10_000;

/** An isolate's copy of the catalog, and of the providers' keys that it has opened. Plain values only. */
export class CatalogCache {
  private held: { catalog: Catalog; at: number } | null = null;
  /** The ways to the copy's own models, as they were asked for. */
  private routes = new Map<string, ModelRoute>();
  private renewingSince = 0;
  private readonly keys = new Map<string, string>();

  /**
   * The ways to a model that was asked for before, while the copy is fresh; else null, and `route` says what there is.
   * @param version the latest there is
   */
  ready(model: string, version: number, now: number): ModelRoute | null {
    if (!this.held || version > (this.held.catalog.version ?? 0) || now - this.held.at > FRESH_MS)
      return null;
    return this.routes.get(model) ?? null;
  }

  /** @throws AppError `unavailable` when there is no copy and neither cache nor database answers */
  async get(sources: CatalogSources): Promise<Catalog> {
    const now = sources.now();
    if (this.held && sources.version > (this.held.catalog.version ?? 0)) {
      // Providers or models have changed. With neither cache nor database at hand the copy has to do.
      await this.renew(sources).catch(() => undefined);
    }
    const age = this.held ? now - this.held.at : Infinity;
    if (this.held && age < STALE_MS) {
      if (age > FRESH_MS && now - this.renewingSince > RENEWAL_LOST_MS) {
        this.renewingSince = now;
        sources.background(this.renew(sources).catch(() => undefined)); // the copy serves on; the next request tries again
      }
      return this.held.catalog;
    }
    try {
      return await this.renew(sources);
    } catch (error) {
      throw new AppError("unavailable", {
        message: "The list of models cannot be read right now. Try again in a moment.",
        retryAfterSeconds: 1,
        cause: error,
      });
    }
  }

  /**
   * The ways to a model.
   * @param service the same for the whole life of the isolate
   * @throws AppError `model_not_found`, `misconfigured`, and what `get` throws
   */
  async route(
    model: string,
    service: ConfiguredService,
    sources: CatalogSources,
  ): Promise<ModelRoute> {
    const catalog = await this.get(sources);
    const known = this.routes.get(model);
    if (known) return known;
    const route = routeTo(model, catalog, service);
    // Names that nobody put into the catalog are anything that clients say: without end.
    if (catalog === this.held?.catalog && Object.hasOwn(catalog.models, model))
      this.routes.set(model, route);
    return route;
  }

  /** Opens a provider's key once an isolate and sealed value. */
  keyOf(provider: string, sealed: string, sources: () => CatalogSources): string | Promise<string> {
    return this.keys.get(sealed) ?? this.open(provider, sealed, sources());
  }

  private async open(provider: string, sealed: string, sources: CatalogSources): Promise<string> {
    const opened = await sources.openKey(provider, sealed);
    if (this.keys.size > 1_000) this.keys.clear(); // sealed values of keys that were replaced
    this.keys.set(sealed, opened);
    return opened;
  }

  private async renew(sources: CatalogSources): Promise<Catalog> {
    const found = await sources.readCache();
    const cached = found && (found.version ?? 0) >= sources.version ? found : null;
    const catalog = cached ?? (await sources.load());
    // Read before a change that another request has seen meanwhile: not kept.
    if (this.held && (catalog.version ?? 0) < (this.held.catalog.version ?? 0)) return catalog;
    if (!cached) sources.background(sources.writeCache(catalog));
    this.held = { catalog, at: sources.now() };
    this.routes = new Map();
    this.renewingSince = 0;
    return catalog;
  }
}
