import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { VIN_DATA_VERSION } from "#core/vin/vin-data.ts";
import { eventually } from "#test/harness/eventually.ts";
import { type Stack, startStack } from "#test/harness/stack.ts";
import { readKnownVins } from "#test/vin/known-vins.ts";
import { expectInvalid, expectProblem } from "./problem.ts";

interface Answer {
  vin: string;
  confidence: string;
  make: string | null;
  model: string | null;
  year: number | null;
  cached: boolean;
  positions: { from: number; to: number; chars: string; means: string }[];
}
interface Problem {
  code: string;
  detail: string;
  errors: { path: string; message: string; suggestions?: string[] }[];
}

const HONDA = "1HGCM82633A004352";
let stack: Stack;
let team: Awaited<ReturnType<Stack["createTeam"]>>;

beforeAll(async () => {
  stack = await startStack({ postgres: inject("postgres"), workers: ["api"] });
  team = await stack.createTeam();
});
afterAll(() => stack?.stop());

const read = (vin: string, client = team.client) =>
  client.expect<Answer>(200, "GET", `/v1/vin/${encodeURIComponent(vin)}`);
const refused = (vin: string) =>
  team.client.expect<Problem>(422, "GET", `/v1/vin/${encodeURIComponent(vin)}`);
/** How long the shared cache keeps what is under the key, in seconds; negative where it has nothing. */
const secondsLeft = async (vin: string) =>
  Number((await stack.redis.execute([["TTL", `vin:2:${VIN_DATA_VERSION}:offline:${vin}`]]))[0]);

describe("GET /v1/vin/{vin}", () => {
  test("says what is known, with what says so, and explains each position", async () => {
    const answer = await read(HONDA);
    expect(answer).toMatchObject({
      vin: HONDA,
      valid: true,
      confidence: "high",
      country: "United States",
      make: "Honda",
      model: "Accord",
      year: 2003,
      trim: "EX-V6",
      engine: { cylinders: 6, displacement_l: null },
      weight_class: expect.stringContaining("Class 1C"),
      warnings: [],
      source: "offline",
      data: VIN_DATA_VERSION,
      cached: false,
    });
    expect(answer.positions.map(({ chars }) => chars).join("")).toBe(HONDA);
  });

  test("keeps the answer for 30 days, for other spellings and other isolates too", async () => {
    const vin = "1FTFW5L86RFB45612";
    expect(await read(vin)).toMatchObject({ cached: false, make: "Ford", model: "F-150" });
    expect(await read(vin)).toMatchObject({ cached: true, make: "Ford", model: "F-150" });
    expect(await read(" 1ftfw5l86-rfb45612 ")).toMatchObject({ vin, cached: true });
    await eventually(async () => expect(await secondsLeft(vin)).toBeGreaterThan(29.9 * 86_400));
    expect(await secondsLeft(vin)).toBeLessThanOrEqual(30 * 86_400);
    await stack.kill();
    await stack.restart();
    expect(await read(vin)).toMatchObject({
      cached: true,
      make: "Ford",
      model: "F-150",
      year: 2024,
    });
  });

  test("knows a maker outside North America by its code, and says no more than that", async () => {
    expect(await read("TMBEG7NE5F0000001")).toMatchObject({
      make: "Škoda",
      model: null,
      year: null,
      confidence: "low",
      warnings: expect.arrayContaining([expect.objectContaining({ code: "not_confirmed" })]),
    });
  });

  test("reads many at once, each as itself", async () => {
    const known = (await readKnownVins("libvin")).slice(0, 40);
    const answers = await Promise.all(known.map(({ vin }) => read(vin)));
    expect(answers.map(({ vin }) => vin)).toEqual(known.map(({ vin }) => vin));
    expect(answers.map(({ year }) => year)).toEqual(known.map(({ year }) => year));
  });

  test("goes on without the shared cache", async () => {
    await stack.restart({ UPSTASH_REDIS_REST_URL: "http://127.0.0.1:9" });
    expect(await read("JF2SH62689G711814")).toMatchObject({ model: "Forester", cached: false });
    await stack.restart({ UPSTASH_REDIS_REST_URL: `http://${stack.cacheAddress}` });
  });
});

describe("a wrong VIN", () => {
  test("of North America with a wrong check digit is refused with the likely ones", async () => {
    const problem = await refused("1HGMC82633A004352");
    expect(problem).toMatchObject({
      code: "validation_failed",
      errors: [{ path: "vin", message: expect.stringContaining("check digit") }],
    });
    expect(problem.errors[0]?.suggestions?.[0]).toBe(HONDA);
    expect(problem.detail).toContain(`Did you mean ${HONDA}?`);
    for (const vin of problem.errors[0]?.suggestions ?? [])
      expect(await read(vin)).toMatchObject({ vin });
  });

  test("with letters that no VIN has names their positions", async () => {
    const problem = await refused("1HGCM82633AOO4352");
    expect(problem.errors[0]?.message).toContain("O at position 12, O at position 13");
    expect(problem.errors[0]?.suggestions?.[0]).toBe(HONDA);
  });

  test.each([
    ["too short", "1HGCM8263"],
    ["too long", `${HONDA}00`],
    ["not a VIN at all", "'; DROP TABLE teams; --"],
    ["signs of another script", "ЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖ"],
    ["a path", "../../about.json"],
    ["a null byte", "1HGCM82633A00435\u0000"],
    ["a picture", "🚗".repeat(17)],
    ["nothing but spaces", "   "],
    ["more than anybody types", "1".repeat(5_000)],
  ])("is refused in words: %s", async (_kind, text) => {
    const problem = await refused(text);
    expect(problem.code).toBe("validation_failed");
    expect(problem.errors[0]?.path).toBe("vin");
  });

  test("is kept nowhere", async () => {
    await refused("1HGMC82633A004352");
    expect(await secondsLeft("1HGMC82633A004352")).toBeLessThan(0);
  });
});

describe("POST /v1/vin/batch", () => {
  interface Result extends Answer {
    valid: boolean;
    errors?: { code: string }[];
    corrections?: string[];
  }
  const readAll = async (vins: string[]) =>
    (await team.client.expect<{ data: Result[] }>(200, "POST", "/v1/vin/batch", { vins })).data;

  test("answers for each of 50 in their order, as it does for one alone", async () => {
    const known = (await readKnownVins("corgi")).slice(40, 90);
    const results = await readAll(known.map(({ vin }) => vin));
    expect(results.map(({ vin }) => vin)).toEqual(known.map(({ vin }) => vin));
    for (const result of results.slice(0, 5))
      expect({ ...(await read(result.vin)), cached: result.cached }).toEqual(result);
    const again = await readAll(known.map(({ vin }) => vin));
    expect(again).toEqual(results.map((result) => ({ ...result, cached: true })));
  });

  test("has wrong ones, doubles and unknown makers among the others", async () => {
    const results = await readAll([HONDA, "1HGMC82633A004352", "", "ZZZZZZZZZZZZZZZZZ", HONDA]);
    expect(results.map(({ valid }) => valid)).toEqual([true, false, false, true, true]);
    expect(results[1]).toMatchObject({ errors: [{ code: "check_digit" }] });
    expect(results[1]?.corrections?.[0]).toBe(HONDA);
    expect(results[2]).toMatchObject({ vin: "", errors: [{ code: "length" }], corrections: [] });
    expect(results[3]).toMatchObject({ make: null, confidence: "low" });
    expect(results[4]).toMatchObject({ model: "Accord" });
  });

  test("refuses none and what is no list of texts", async () => {
    const post = (body: unknown) => team.client.request("POST", "/v1/vin/batch", body);
    await expectInvalid(await post({ vins: [] }), "vins");
    const many = Array.from({ length: 51 }, () => HONDA);
    await expectInvalid(await post({ vins: [...many, 5] }), "vins.51");
    await expectInvalid(await post({ vins: many, need: ["drive"] }), "need");
    await expectInvalid(await post({ vins: [HONDA, 5] }), "vins.1");
    await expectInvalid(await post({ vins: ["1".repeat(101)] }), "vins.0");
    await expectInvalid(await post({ vins: [HONDA], more: 1 }), "more");
  });
});

test("needs a key with the scope skills", async () => {
  await expectProblem(
    await stack.client(null).request("GET", `/v1/vin/${HONDA}`),
    401,
    "missing_api_key",
  );
  const { client } = await stack.createTeam({ scopes: ["chat"] });
  await expectProblem(await client.request("GET", `/v1/vin/${HONDA}`), 403, "missing_scope");
});

test("the files that it reads are not public", async () => {
  for (const path of [`/vin/${VIN_DATA_VERSION}/1HG.json`, `/vin/${VIN_DATA_VERSION}/about.json`]) {
    expect((await stack.client(null).request("GET", path)).status).toBe(404);
    expect((await stack.client(null).request("GET", `/docs/..${path}`)).status).toBe(404);
  }
});
