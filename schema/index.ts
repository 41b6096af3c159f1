export * from "./keys.ts";
export * from "./limits.ts";
export * from "./operations.ts";
export * from "./providers.ts";
export * from "./sessions.ts";
export * from "./teams.ts";
export * from "./telegram.ts";
export * from "./usage.ts";
