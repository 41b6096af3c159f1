/** What a key may do. `admin` manages the team and includes every other scope. */
export const SCOPES = ["chat", "sessions", "jobs", "skills", "usage:read", "admin"] as const;

export type Scope = (typeof SCOPES)[number];

/** What a key may do when its maker does not say. */
export const DEFAULT_SCOPES: Scope[] = ["chat", "sessions", "jobs", "skills", "usage:read"];
