import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { eventually } from "#test/harness/eventually.ts";
import { type Stack, startStack } from "#test/harness/stack.ts";
import { take } from "./tenancy/request-of.ts";
import { furnish, type Household } from "./tenancy/things.ts";
import { ALWAYS_REFUSED, MODEL_REQUEST, ONLY_READS, WALKS } from "./tenancy/walks.ts";

/** While all changes are switched off: which routes go on, and which do not. */
let stack: Stack;
let home: Household;
beforeAll(async () => {
  stack = await startStack({ postgres: inject("postgres"), workers: ["api"] });
  home = await furnish(stack, "quiet");
  await stack.admin.expect(200, "PUT", "/v1/admin/switches", { writes: "off" });
  await eventually(() =>
    home.client.expect(503, "PATCH", `/v1/teams/${home.things.teamId}`, { name: "Renamed" }),
  );
});
afterAll(() => stack?.stop());

const changing = Object.entries(WALKS).filter(([route]) => !route.startsWith("GET "));
/** Why a route is in no audit log; undefined where it is. */
const noneOf = (route: string) => {
  const audit = WALKS[route]?.audit;
  return audit && "none" in audit ? audit.none : undefined;
};
const forModels = changing.filter(([route]) => noneOf(route) === MODEL_REQUEST);
const reading = changing.filter(([route]) => noneOf(route) === ONLY_READS);
const others = changing.filter(
  (one) =>
    !forModels.includes(one) && !reading.includes(one) && one[0] !== "PUT /v1/admin/switches",
);

/** What is posted under these tags of the document asks a model. */
const MODEL_TAGS = new Set(["OpenAI-compatible", "Anthropic-compatible"]);
/** Stands with the sessions that it is said in. */
const CHAT = "POST /v1/chat";

test("every route that asks a model is known as one", async () => {
  interface Operation {
    tags?: string[];
  }
  const { paths } = await stack
    .client(null)
    .expect<{ paths: Record<string, Record<string, Operation>> }>(200, "GET", "/openapi.json");
  const documented = Object.entries(paths).flatMap(([path, { post }]) =>
    post?.tags?.some((tag) => MODEL_TAGS.has(tag)) ? [`POST ${path}`] : [],
  );
  expect(documented.length).toBeGreaterThanOrEqual(5);
  const asking = documented.filter((route) => noneOf(route) !== ALWAYS_REFUSED);
  expect(forModels.map(([route]) => route).sort()).toEqual([...asking, CHAT].sort());
});

describe("while changes are switched off, a request for a model goes on, and what only reads", () => {
  test.each([...forModels, ...reading])("%s", async (route, walk) => {
    const answer = await take(home.client, route, { walk, things: home.things });
    // One that is refused here is missing in MODEL_PATHS or READING_PATHS of workers/api/signal.ts.
    expect(`${answer.status} ${answer.text}`).not.toContain("read_only");
    expect(answer.status).toBe(walk.status);
  });
});

describe("and everything else that changes something is refused", () => {
  test.each(others)("%s", async (route, walk) => {
    const client = walk.stranger === "forbidden" ? stack.admin : home.client;
    const answer = await take(client, route, { walk, things: home.things });
    expect(`${answer.status} ${answer.text}`).toMatch(/^503 .*"read_only"/);
  });
});
