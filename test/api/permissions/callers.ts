import type { Permission } from "#core/kernel/permissions.ts";
import { SCOPES } from "#core/kernel/scopes.ts";
import type { ApiClient } from "#test/harness/api-client.ts";
import type { Stack } from "#test/harness/stack.ts";
import { type AnyIssuer, AUDIENCE } from "#test/identity/any-issuer.ts";
import type { Need } from "./needs.ts";

/** Somebody who asks, and what they should be able to do. */
export interface Caller {
  name: string;
  /** A `program` has a token that no membership stands behind. */
  kind: "key" | "token" | "program" | "person";
  permissions: readonly Permission[];
  client: ApiClient;
}

/** The roles' table in docs/identity.md, written out so that the code is not compared with itself. */
const ROLES: Record<string, readonly Permission[]> = {
  owner: ["chat", "sessions", "jobs", "skills", "usage:read", "admin", "owner"],
  admin: ["chat", "sessions", "jobs", "skills", "usage:read", "admin"],
  member: ["chat", "sessions", "jobs", "skills", "usage:read"],
  viewer: ["usage:read"],
};

/** What OIDC_ISSUERS says here: members by their roles, some of them with less by their token, and programs. */
export function rulesOf(issuer: AnyIssuer): string {
  const rule = { issuer: issuer.url, team: { from: "membership" }, end_user: null };
  const scopes = { claim: "scope", map: { all: ["admin", "owner"], ask: ["chat"] } };
  return JSON.stringify([
    { ...rule, audience: AUDIENCE },
    { ...rule, audience: "narrow", scopes },
    { ...rule, audience: "program", team: { from: "claim", claim: "team", teams: "*" }, scopes },
  ]);
}

/** Everybody whom the matrix knows, in one team. */
export async function gatherCallers(
  stack: Stack,
  { teamId, issuer }: { teamId: string; issuer: AnyIssuer },
): Promise<Caller[]> {
  const callers: Caller[] = [];
  for (const scope of SCOPES) {
    const input = { name: scope, team_id: teamId, scopes: [scope] };
    const { key } = await stack.admin.expect<{ key: string }>(201, "POST", "/v1/keys", input);
    const permissions = scope === "admin" ? SCOPES : [scope];
    const name = `a key with ${scope}`;
    callers.push({ name, kind: "key", permissions, client: stack.client(key) });
  }
  const bearer = async (name: string, claims: object, permissions: readonly Permission[]) => {
    const client = stack.client(await issuer.token({ ...claims }));
    const kind = name.includes("program") ? "program" : "token";
    callers.push({ name, kind, permissions, client });
  };
  for (const [role, permissions] of Object.entries(ROLES)) {
    await stack.admin.expect(201, "POST", `/v1/teams/${teamId}/members`, {
      name: role,
      email: `${role}@example.com`,
      role,
      identity: { issuer: issuer.url, subject: role },
    });
    await bearer(`a person with the role ${role}`, { sub: role }, permissions);
  }
  const narrow = { aud: "narrow", scope: "ask" };
  await bearer("an owner by a token for chat alone", { ...narrow, sub: "owner" }, ["chat"]);
  await bearer("a viewer by a token for chat alone", { ...narrow, sub: "viewer" }, []);
  const whole = { aud: "narrow", scope: "all", sub: "member" };
  await bearer("a member by a token for everything", whole, ROLES["member"] ?? []);
  const program = { aud: "program", scope: "ask", sub: "program", team: teamId };
  await bearer("a program of the team", program, ["chat"]);
  const nobody = stack.client(await issuer.token({ sub: "nobody" }));
  callers.push({ name: "a person in no team", kind: "person", permissions: [], client: nobody });
  return callers;
}

/** Whether a caller should be let in. */
export function isAllowed(need: Need, { kind, permissions }: Caller): boolean {
  if (need === "bearer" || need === "public") return true;
  if (need === "person") return kind === "token" || kind === "person";
  if (need === "super_admin" || kind === "person") return false;
  if (need === "anybody") return true;
  if (need === "key") return kind === "key";
  const needs = typeof need === "string" ? [need] : need;
  return needs.every((one) => permissions.includes(one));
}
