import type { teams } from "#schema";

/** A team as the verbs return it. */
export type Team = Omit<typeof teams.$inferSelect, "epoch" | "guardRails" | "guardRailsDigest">;
