import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { type Stack, startStack } from "#test/harness/stack.ts";
import { type AnyIssuer, startAnyIssuer } from "#test/identity/any-issuer.ts";
import { type Caller, gatherCallers, isAllowed, rulesOf } from "./permissions/callers.ts";
import { type Need, NEEDS } from "./permissions/needs.ts";
import { take, withoutIds } from "./tenancy/request-of.ts";
import { furnish, ghost, type Things } from "./tenancy/things.ts";
import { type Walk, WALKS } from "./tenancy/walks.ts";

let issuer: AnyIssuer;
let stack: Stack;
/** What the callers' team has. */
let home: Things;
let callers: Caller[];

beforeAll(async () => {
  issuer = await startAnyIssuer();
  stack = await startStack({
    postgres: inject("postgres"),
    vars: { OIDC_ISSUERS: rulesOf(issuer) },
  });
  const { things } = await furnish(stack, "home");
  home = things;
  callers = await gatherCallers(stack, { teamId: home.teamId, issuer });
});
afterAll(async () => {
  await stack?.stop();
  await issuer?.stop();
});

test("every documented route says what it needs", async () => {
  const document = await stack
    .client(null)
    .expect<{ paths: Record<string, object> }>(200, "GET", "/openapi.json");
  const documented = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const missing = documented.filter((route) => !(route in NEEDS));
  expect(missing, "Add these routes to test/api/permissions/needs.ts").toEqual([]);
  expect(Object.keys(NEEDS).filter((route) => !documented.includes(route))).toEqual([]);
});

/**
 * Things that are not there, in the caller's own team: whoever is let in changes nothing, and gets 404 where a thing
 * is named. A team that is to be deleted is not there either.
 */
function nothingOf(route: string): Things {
  return route === "DELETE /v1/teams/{id}" ? ghost() : { ...ghost(), teamId: home.teamId };
}

/** The code of a refusal, whose body is a problem, or an error of OpenAI or Anthropic. */
function codeOf(text: string): string | undefined {
  const body = JSON.parse(text) as { code?: string; error?: { code?: string; type?: string } };
  return body.code ?? body.error?.code ?? body.error?.type;
}

const REFUSALS = ["missing_scope", "forbidden", "permission_error"];

const guarded = Object.entries(NEEDS).filter(([, need]) => need !== "public");

describe("by scope, by role and by token", () => {
  test.each<[string, Need]>(guarded)("%s needs %s", async (route, need) => {
    const walk: Walk | undefined = WALKS[route];
    if (!walk) throw new Error(`${route} is not on the tenancy walk`);
    const outcomes: [string, boolean][] = [];
    for (const caller of callers) {
      const things = nothingOf(route);
      const nothing = await take(caller.client, route, { walk, things });
      const isRefused = nothing.status === 403 && REFUSALS.includes(codeOf(nothing.text) ?? "");
      if (!isRefused) expect([caller.name, nothing.status]).not.toEqual([caller.name, 401]);
      outcomes.push([caller.name, !isRefused]);
      if (!isRefused) continue;
      // What is there and what is not are refused in the same words, so that nobody can tell them apart.
      const something = await take(caller.client, route, { walk, things: home });
      expect(something.status).toBe(403);
      expect(withoutIds(something.text, home)).toBe(withoutIds(nothing.text, things));
    }
    expect(outcomes).toEqual(callers.map((caller) => [caller.name, isAllowed(need, caller)]));
  });
});

test("what was refused has changed nothing", async () => {
  const { teamId, memberId, keyId, sessionId } = home;
  await stack.admin.expect(200, "GET", `/v1/teams/${teamId}/members/${memberId}`);
  const key = await stack.admin.expect<{ enabled: boolean }>(200, "GET", `/v1/keys/${keyId}`);
  expect(key.enabled).toBe(true);
  await stack.admin.expect(200, "GET", `/v1/sessions/${sessionId}`);
});
