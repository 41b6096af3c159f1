import { mayUseModel, type Principal, requireScope } from "../../kernel/principal.ts";
import { type Catalog, type ConfiguredService, routeTo } from "../catalog.ts";
import type { CircuitBoard } from "./circuit-board.ts";

export interface TargetHealth extends ReturnType<CircuitBoard["report"]> {
  provider: string;
  /** The provider's own name of the model, which is for super admins only. */
  targetModel: string | null;
  /** The models that lead there, as clients name them. */
  models: string[];
}

/**
 * How the targets are of the models that the principal may use, as this isolate sees them.
 * @throws AppError `missing_scope`
 */
export function listTargetHealth(
  principal: Principal,
  catalog: Catalog,
  service: ConfiguredService,
  board: { circuits: CircuitBoard; now: number },
): TargetHealth[] {
  requireScope(principal, "usage:read");
  const seesAll = principal.kind === "super_admin";
  const byCircuit = new Map<string, TargetHealth>();
  for (const name of Object.keys(catalog.models).sort()) {
    if (!mayUseModel(principal, name)) continue;
    for (const target of targetsOf(name, catalog, service)) {
      const known = byCircuit.get(target.circuit);
      if (known) known.models.push(name);
      else
        byCircuit.set(target.circuit, {
          provider: target.provider,
          targetModel: seesAll ? target.targetModel : null,
          models: [name],
          ...board.circuits.report(target, board.now),
        });
    }
  }
  return [...byCircuit.values()];
}

/** None where all providers of a model are gone: that has no health. */
function targetsOf(name: string, catalog: Catalog, service: ConfiguredService) {
  try {
    return routeTo(name, catalog, service).targets;
  } catch {
    return [];
  }
}
