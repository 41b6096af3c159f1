import type { Principal } from "../kernel/principal.ts";

/** Who made a change, as the audit log names them. */
export interface Actor {
  kind: Principal["kind"];
  /** Null for the system itself. */
  id: string | null;
  /** The person, where the principal names one. */
  user: string | null;
}

/** Who acts, without anything that could be used to act in their place. */
export function actorOf(principal: Principal): Actor {
  switch (principal.kind) {
    case "super_admin":
      return { kind: "super_admin", id: principal.fingerprint ?? null, user: null };
    case "key":
      return { kind: "key", id: principal.keyId, user: null };
    case "token":
      return {
        kind: "token",
        id: principal.member?.id ?? identityOf(principal),
        user: identityOf(principal),
      };
    case "person":
      return { kind: "person", id: identityOf(principal), user: identityOf(principal) };
    case "telegram":
      return { kind: "telegram", id: principal.chatId, user: principal.endUser };
    case "job":
      return { kind: "job", id: principal.jobId, user: principal.createdBy };
    case "system":
      return { kind: "system", id: null, user: null };
  }
}

/** Who somebody is at their issuer; a subject alone is unique only there. */
function identityOf({ issuer, subject }: { issuer: string; subject: string }): string {
  return `${issuer} ${subject}`;
}
