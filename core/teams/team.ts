import type { teams } from "#schema";
import type { LimitRow } from "../limits/limit.ts";

/** A team as the verbs return it, with its own limits. */
export type Team = Omit<typeof teams.$inferSelect, "epoch" | "guardRails" | "guardRailsDigest"> & {
  limits: LimitRow[];
};
