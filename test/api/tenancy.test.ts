import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { type Stack, startStack } from "#test/harness/stack.ts";
import { take, withoutIds } from "./tenancy/request-of.ts";
import { furnish, ghost, type Household } from "./tenancy/things.ts";
import { type Walk, WALKS } from "./tenancy/walks.ts";

interface Operation {
  security?: unknown[];
}
interface OpenApi {
  paths: Record<string, Record<string, Operation>>;
}

let stack: Stack;
let a: Household;
let b: Household;
/** `GET /v1/teams` and so on, as the running Worker documents them. */
let documented: Map<string, Operation>;

const METHODS = ["get", "post", "put", "patch", "delete"];
const routes = Object.entries(WALKS);
const guarded = routes.filter(([, walk]) => walk.stranger !== "public");

beforeAll(async () => {
  stack = await startStack({ postgres: inject("postgres") });
  const document = await stack.client(null).expect<OpenApi>(200, "GET", "/openapi.json");
  documented = new Map(
    Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item)
        .filter(([method]) => METHODS.includes(method))
        .map(([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const),
    ),
  );
  a = await furnish(stack, "alpha");
  b = await furnish(stack, "beta");
});
afterAll(() => stack?.stop());

test("every documented route is on the walk, and every route on the walk is documented", () => {
  const missing = [...documented.keys()].filter((route) => !(route in WALKS));
  expect(missing, "Add these routes to test/api/tenancy/walks.ts").toEqual([]);
  expect(Object.keys(WALKS).filter((route) => !documented.has(route))).toEqual([]);
});

test("every route that is not public asks for a key, in the document and in fact", async () => {
  for (const [route, walk] of routes) {
    const open = walk.stranger === "public";
    expect([route, documented.get(route)?.security === undefined]).toEqual([route, open]);
    const { status } = await take(stack.client(null), route, { walk, things: a.things });
    if (!open) expect([route, status]).toEqual([route, 401]);
  }
});

/** All that the first team has, as its tables and its session say it. */
async function belongings(): Promise<string> {
  const { teamId, sessionId } = a.things;
  const tables = await stack.sql<{ table_name: string }>(
    "SELECT DISTINCT table_name::text FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'team_id' AND table_name NOT LIKE 'usage%' ORDER BY 1",
  );
  expect(tables.length).toBeGreaterThanOrEqual(5);
  const rows: unknown[] = [
    await a.client.expect(200, "GET", `/v1/sessions/${sessionId}`),
    await a.client.expect(200, "GET", `/v1/sessions/${sessionId}/messages`),
    await stack.sql("SELECT name FROM teams WHERE id = $1", [teamId]),
    await stack.sql("SELECT * FROM providers ORDER BY name"),
    await stack.sql("SELECT * FROM models ORDER BY name"),
    await stack.sql("SELECT count(*) FROM schedule_runs WHERE trigger = 'manual'"),
  ];
  for (const { table_name: table } of tables)
    rows.push(await stack.sql(`SELECT * FROM ${table} WHERE team_id = $1 ORDER BY 1`, [teamId]));
  return JSON.stringify(rows, null, 1);
}

describe("a key of another team", () => {
  let before: string;
  beforeAll(async () => {
    before = await belongings();
  });

  test.each(guarded)("%s", async (route, walk) => {
    const overrides = { "x-team-id": a.things.teamId, "x-end-user": "1" };
    for (const headers of [{}, overrides]) {
      const answer = await take(b.client, route, { walk, things: a.things, headers });
      expect(answer.all).toSatisfy((text: string) => !a.marks.some((mark) => text.includes(mark)));
      if (walk.stranger === "own") {
        expect(`${answer.status} ${answer.text}`).toMatch(new RegExp(`^${walk.status} `));
        for (const id of [a.things.memberId, a.things.keyId, a.things.ownKeyId, a.things.sessionId])
          expect(answer.all).not.toContain(id);
      } else {
        const status = walk.stranger === "hidden" ? 404 : 403;
        expect(`${answer.status} ${answer.text}`).toMatch(new RegExp(`^${status} `));
        const things = ghost();
        const nothing = await take(b.client, route, { walk, things, headers });
        expect(nothing.status).toBe(status);
        expect(withoutIds(answer.text, a.things)).toBe(withoutIds(nothing.text, things));
      }
    }
  });

  test("has left everything of the first team as it was", async () => {
    expect(await belongings()).toBe(before);
  });
});

describe("the same requests by the first team itself, so that it is shown that they were refused for their sender", () => {
  /** Things that are gone after a request are asked for in the end, whole teams and keys at the very end. */
  const last = (walk: Walk) => (walk.ends ? 1 : 0);
  const order = guarded.toSorted(([, one], [, other]) => last(one) - last(other));
  const spare: Household[] = [];

  test.each(order)("%s", async (route, walk) => {
    // What ends a thing gets a household of its own.
    const home = walk.ends ? await furnish(stack, `spare-${spare.length}`) : a;
    if (walk.ends) spare.push(home);
    const client = walk.stranger === "forbidden" ? stack.admin : home.client;
    const answer = await take(client, route, { walk, things: home.things });
    if (walk.shows) {
      const shown = walk.shows === "marks" ? home.marks : [home.things[walk.shows]];
      expect(shown.filter((text) => answer.all.includes(text))).not.toEqual([]);
    }
    expect(`${answer.status} ${answer.text}`).toMatch(new RegExp(`^${walk.status} `));
  });
});
