import type { switchboard } from "#schema";
import { AppError } from "../kernel/errors.ts";
import type { Principal } from "../kernel/principal.ts";
import type { ModelRoute } from "../providers/catalog.ts";
import type { Signal } from "./signal.ts";

/** What is switched off, as admins see it. */
export type Switches = Pick<
  typeof switchboard.$inferSelect,
  "botOffAt" | "writesOff" | "providersOff" | "teamsOff" | "version" | "updatedAt"
>;

/**
 * Refuses everybody of a team that is switched off, whichever way they come; super admins may still see to it.
 * @throws AppError `team_suspended`
 */
export function refuseSuspended(signal: Signal, principal: Principal): void {
  if (signal.teamsOff.length === 0 || principal.teamId === null) return;
  if (principal.kind === "super_admin" || !signal.teamsOff.includes(principal.teamId)) return;
  throw new AppError("team_suspended", {
    message: "This team is switched off. Ask whoever runs this service.",
  });
}

/** @throws AppError `read_only` */
export function refuseWritesIfOff(signal: Signal): void {
  if (!signal.writesOff) return;
  throw new AppError("read_only", {
    message: "Nothing can be changed right now; requests for models go on. Try again later.",
    retryAfterSeconds: 60,
  });
}

/**
 * The ways to a model without those through providers that are switched off.
 * @throws AppError `provider_switched_off` where none is left
 */
export function withoutProvidersOff(signal: Signal, route: ModelRoute): ModelRoute {
  const { providersOff } = signal;
  if (providersOff.length === 0) return route;
  const [first, ...others] = route.targets.filter(
    ({ provider }) => !providersOff.includes(provider),
  );
  if (first) return { ...route, targets: [first, ...others] };
  throw new AppError("provider_switched_off", {
    message: `The provider of the model ${route.model} is switched off. Use another model, or try again later.`,
    retryAfterSeconds: 60,
  });
}
