import { mayUseModel, type Principal } from "../kernel/principal.ts";
import { BUILTIN, type Catalog, CONFIGURED, type ConfiguredService } from "./catalog.ts";

/** A model as it is listed. */
export interface ListedModel {
  name: string;
  provider: string;
  /** Milliseconds since 1970; 0 where nobody knows. */
  createdAt: number;
}

/**
 * The models that the principal may use, by name.
 * @param discovered what the configured service lists, asked for only where the settings name no model
 */
export async function listModels(
  principal: Principal,
  catalog: Catalog,
  service: ConfiguredService,
  discovered: () => Promise<string[]>,
): Promise<ListedModel[]> {
  const listed = new Map<string, ListedModel>();
  const add = (name: string, provider: string, createdAt: number) => {
    if (!listed.has(name) && mayUseModel(principal, name))
      listed.set(name, { name, provider, createdAt });
  };
  for (const [name, model] of Object.entries(catalog.models))
    add(name, model.targets[0]?.provider ?? "", model.createdAt);
  if (service.url !== null) {
    for (const name of service.models.length > 0 ? service.models : await discovered())
      add(name, CONFIGURED, 0);
  }
  add(BUILTIN, BUILTIN, 0);
  return [...listed.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
