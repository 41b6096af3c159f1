import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { VIN_DATA_VERSION } from "#core/vin/vin-data.ts";
import { checkDigitOf } from "#core/vin/vin.ts";
import { eventually } from "#test/harness/eventually.ts";
import { type Stack, startStack } from "#test/harness/stack.ts";
import {
  AUTODEV_KEY,
  NHTSA_CLEAN,
  type ServiceFault,
  startVinServices,
  type VinServices,
} from "#test/vin/vin-services.ts";

interface Answer {
  vin: string;
  confidence: string;
  make: string | null;
  model: string | null;
  year: number | null;
  drive: string | null;
  cached: boolean;
  source: string;
  sources: string[];
  attributes: { name: string; value: string; source: string }[];
  warnings: { code: string; message: string }[];
}

const HONDA = "1HGCM82633A004352"; // our own data is sure of it
let stack: Stack;
let services: VinServices;
let team: Awaited<ReturnType<Stack["createTeam"]>>;
const settings = () => ({
  NHTSA_URL: services.nhtsaUrl,
  AUTODEV_URL: services.autodevUrl,
  AUTODEV_API_KEY: AUTODEV_KEY,
  DEFAULT_DECODER_SERVICE: "offline",
});

beforeAll(async () => {
  services = await startVinServices();
  stack = await startStack({ postgres: inject("postgres"), workers: ["api"], vars: settings() });
  team = await stack.createTeam();
});
afterAll(async () => {
  await stack?.stop();
  await services?.stop();
});
beforeEach(async () => {
  services.requests.length = 0;
  services.nhtsa.clear();
  services.autodev.clear();
  services.fault = Object.assign(services.fault, { nhtsa: null, autodev: null });
});

const read = (vin: string, query = "") =>
  team.client.expect<Answer>(200, "GET", `/v1/vin/${vin}${query}`);
const codes = ({ warnings }: Answer) => warnings.map(({ code }) => code);

/** VINs of a BMW X3 of 2024, whose model our own data does not know; each another one. */
let serial = 100_000;
const newX3 = () => {
  const vin = `5UX63DP00R9U${String(serial++).slice(1)}`;
  return vin.slice(0, 8) + checkDigitOf(vin) + vin.slice(9);
};
const X3 = {
  ...NHTSA_CLEAN,
  Make: "BMW",
  Manufacturer: "BMW MANUFACTURER CORPORATION / BMW NORTH AMERICA",
  Model: "X3",
  ModelYear: "2024",
  Series: "xDrive30i",
  DriveType: "AWD/All-Wheel Drive",
  BodyClass: "Sport Utility Vehicle (SUV)/Multi-Purpose Vehicle (MPV)",
  AirBagLocFront: "1st Row (Driver and Passenger)",
  PlantCountry: "UNITED STATES (USA)",
};

describe("the cascade", () => {
  test("asks nobody where our own data is sure", async () => {
    expect(await read(HONDA)).toMatchObject({ source: "offline", sources: ["offline"] });
    expect(services.requests).toEqual([]);
  });

  test("asks NHTSA for what our own data leaves open, and is sure where both agree", async () => {
    const vin = newX3();
    services.nhtsa.set(vin, X3);
    const answer = await read(vin);
    expect(answer).toMatchObject({
      make: "BMW",
      model: "X3",
      year: 2024,
      drive: "AWD/All-Wheel Drive",
      confidence: "high",
      source: "nhtsa",
      sources: ["nhtsa", "offline"],
      cached: false,
      warnings: [],
    });
    expect(answer.attributes).toContainEqual({ name: "Model", value: "X3", source: "NHTSA vPIC" });
    expect(answer.attributes).toContainEqual({
      name: "Air bags, front",
      value: X3.AirBagLocFront,
      source: "NHTSA vPIC",
    });
    expect(services.nhtsaBatches()).toEqual([[vin]]);
    expect(services.autodevVins()).toEqual([]);
    expect(await read(vin)).toMatchObject({ model: "X3", confidence: "high", cached: true });
    expect(services.nhtsaBatches()).toHaveLength(1);
  });

  test("asks auto.dev where NHTSA knows no more, by its key", async () => {
    const vin = newX3();
    services.autodev.set(vin, {
      origin: "United States",
      make: "BMW",
      model: "X3",
      trim: "xDrive30i",
      style: "4dr SUV",
      vehicle: { vin, year: 2024, make: "BMW", model: "X3", manufacturer: "BMW Us" },
    });
    expect(await read(vin)).toMatchObject({
      model: "X3",
      year: 2024,
      trim: "xDrive30i",
      source: "autodev",
      confidence: "high",
    });
    expect(services.nhtsaBatches()).toEqual([[vin]]);
    expect(services.autodevVins()).toEqual([vin]);
  });

  test("is never sure of what auto.dev calls ambiguous, and says so", async () => {
    const vin = newX3();
    services.autodev.set(vin, {
      ambiguous: true,
      make: "BMW",
      model: "X3",
      vehicle: { vin, year: [2023, 2024], make: "BMW", model: "X3" },
    });
    const answer = await read(vin);
    expect(answer).toMatchObject({ model: "X3", year: 2024, confidence: "medium" });
    expect(codes(answer)).toContain("ambiguous");
  });

  test("lowers the confidence where two contradict each other, and names both", async () => {
    const vin = newX3();
    services.nhtsa.set(vin, { ...X3, ErrorCode: "14" }); // some characters unexplained, so auto.dev is asked too
    services.autodev.set(vin, {
      make: "BMW",
      model: "Z4",
      vehicle: { vin, year: 2024, make: "BMW", model: "Z4" },
    });
    const answer = await read(vin);
    expect(answer.confidence).toBe("medium");
    expect(codes(answer)).toContain("contradiction");
    const [contradiction] = answer.warnings.filter(({ code }) => code === "contradiction");
    expect(contradiction?.message).toMatch(
      /NHTSA vPIC says BMW X3 2024; told is what auto.dev says/,
    );
  });

  test.each([
    ["another make than the maker's code has", { Make: "FORD", Model: "Escape" }],
    ["a year that position 10 cannot be", { ModelYear: "2019" }],
    ["the same letter's year of thirty years ago", { ModelYear: "1994" }],
  ])("does not follow a service that names %s", async (_what, said) => {
    const vin = newX3();
    services.nhtsa.set(vin, { ...X3, ...said });
    const answer = await read(vin);
    expect(answer).toMatchObject({ make: "BMW", year: 2024 });
    expect(answer.confidence).not.toBe("high");
  });

  test("takes nothing of a VIN that NHTSA corrected, but its own reading of this one", async () => {
    const vin = newX3();
    services.nhtsa.set(vin, {
      ...X3,
      ErrorCode: "2",
      ErrorText: "2 - VIN corrected, error in one position",
      SuggestedVIN: HONDA,
    });
    expect(await read(vin)).toMatchObject({ model: null, make: "BMW", source: "offline" });
  });

  test("tells of a vehicle from elsewhere what one service knows, without being sure of it", async () => {
    const vin = "JN1BJ1AW5PW109661"; // a Qashqai, not sold in the United States
    services.autodev.set(vin, {
      make: "Nissan",
      model: "Qashqai",
      vehicle: { vin, year: 2023, make: "Nissan", model: "Qashqai" },
    });
    const answer = await read(vin);
    expect(answer).toMatchObject({ make: "Nissan", model: "Qashqai", year: 2023 });
    expect(answer.confidence).toBe("medium");
    expect(codes(answer)).toContain("single_source");
  });
});

describe("what a request may ask for", () => {
  test("more than make, model and year: a service is asked though our own data is sure", async () => {
    const vin = "1FTFW5L86RFB45612";
    services.nhtsa.set(vin, {
      ...NHTSA_CLEAN,
      Make: "FORD",
      Model: "F-150",
      ModelYear: "2024",
      DriveType: "4WD/4-Wheel Drive/4x4",
    });
    expect(await read(vin)).toMatchObject({ drive: null, confidence: "high", cached: false });
    const whole = await read(vin, "?need=drive,trim");
    expect(whole).toMatchObject({
      drive: "4WD/4-Wheel Drive/4x4",
      source: "offline",
      sources: ["offline", "nhtsa"],
      confidence: "high",
      cached: false,
    });
    expect(await read(vin)).toMatchObject({ drive: "4WD/4-Wheel Drive/4x4", cached: true });
  });

  test("that the VIN does not leave the house", async () => {
    const vin = newX3();
    services.nhtsa.set(vin, X3);
    expect(await read(vin, "?decoder=offline")).toMatchObject({ model: null, source: "offline" });
    expect(services.requests).toEqual([]);
    expect(await read(vin)).toMatchObject({ model: "X3", cached: false });
    expect(await read(vin, "?decoder=offline")).toMatchObject({ model: "X3", cached: true });
  });

  test("nothing that there is not", async () => {
    for (const query of ["?need=colour", "?need=", "?decoder=autodev"])
      await team.client.expect(422, "GET", `/v1/vin/${HONDA}${query}`);
  });
});

describe("POST /v1/vin/batch", () => {
  const readAll = async (vins: string[], more = {}) =>
    (await team.client.expect<{ data: Answer[] }>(200, "POST", "/v1/vin/batch", { vins, ...more }))
      .data;

  test("asks NHTSA once for all that are open, and auto.dev for the rest", async () => {
    const open = Array.from({ length: 48 }, newX3);
    for (const vin of open.slice(0, 40)) services.nhtsa.set(vin, X3);
    for (const vin of open.slice(40))
      services.autodev.set(vin, { make: "BMW", model: "X3", vehicle: { vin, year: 2024 } });
    const answers = await readAll([HONDA, ...open, open[0] ?? ""]);
    expect(answers.slice(1).map(({ model }) => model)).toEqual(Array(49).fill("X3"));
    expect(answers.map(({ confidence }) => confidence)).toEqual(Array(50).fill("high"));
    expect(services.nhtsaBatches().map((batch) => batch.toSorted())).toEqual([open.toSorted()]);
    expect(services.autodevVins().toSorted()).toEqual(open.slice(40).toSorted());
  });
});

describe("a service that fails", () => {
  const faults: ServiceFault[] = [
    "down",
    "silent",
    "slow",
    "html",
    "empty",
    "too_long",
    "endless",
    "redirect",
    "rate_limited",
    "forbidden",
    "other_vins",
    "garbage_values",
    "cut",
  ];
  test.each(faults)("makes no answer worse than our own data: %s", async (fault) => {
    await stack.restart(settings()); // forgets the circuits that the faults before have opened
    const vin = newX3();
    services.nhtsa.set(vin, X3);
    services.autodev.set(vin, { make: "BMW", model: "X3", vehicle: { vin, year: 2024 } });
    Object.assign(services.fault, { nhtsa: fault, autodev: fault });
    const started = Date.now();
    const answer = await read(vin);
    expect(answer).toMatchObject({ make: "BMW", year: 2024, source: expect.any(String) });
    if (fault !== "other_vins")
      expect(answer).toMatchObject({ model: null, confidence: "medium", source: "offline" });
    if (fault !== "other_vins") expect(codes(answer)).toContain("service_unavailable");
    expect(Date.now() - started).toBeLessThan(15_000); // 3 s each, and a busy machine
  });

  test("is left alone after a few failures, and asked again later", async () => {
    await stack.restart(settings());
    Object.assign(services.fault, { nhtsa: "down", autodev: "down" });
    for (let turn = 0; turn < 6; turn++) await read(newX3());
    expect(services.nhtsaBatches().length).toBeLessThanOrEqual(2);
  });

  test("is not remembered as one that knows nothing: such answers are kept for minutes", async () => {
    await stack.restart(settings());
    Object.assign(services.fault, { nhtsa: "down", autodev: "down" });
    const vin = newX3();
    await read(vin);
    const seconds = async (one: string) => {
      const key = `vin:2:${VIN_DATA_VERSION}:offline-nhtsa-autodev:${one}`;
      return Number((await stack.redis.execute([["TTL", key]]))[0]);
    };
    await eventually(async () => expect(await seconds(vin)).toBeGreaterThan(0));
    expect(await seconds(vin)).toBeLessThanOrEqual(300);

    await stack.restart(settings());
    Object.assign(services.fault, { nhtsa: null, autodev: null });
    const unknown = newX3();
    await read(unknown);
    await eventually(async () => expect(await seconds(unknown)).toBeGreaterThan(3_600));
    expect(await seconds(unknown)).toBeLessThanOrEqual(86_400);
  });
});

describe("DEFAULT_DECODER_SERVICE", () => {
  test("nhtsa asks it first, for every VIN, and our own data still wins where it is sure", async () => {
    await stack.restart({ ...settings(), DEFAULT_DECODER_SERVICE: "nhtsa" });
    services.nhtsa.set(HONDA, { ...NHTSA_CLEAN, Make: "HONDA", Model: "Civic", ModelYear: "2003" });
    const answer = await read(HONDA);
    expect(answer).toMatchObject({ model: "Accord", year: 2003, confidence: "medium" });
    expect(codes(answer)).toEqual(["contradiction"]);
    expect(services.nhtsaBatches()).toEqual([[HONDA]]);
  });

  test("autodev asks it first, and falls back when it is down", async () => {
    await stack.restart({ ...settings(), DEFAULT_DECODER_SERVICE: "autodev" });
    services.fault.autodev = "down";
    const answer = await read(HONDA);
    expect(answer).toMatchObject({ model: "Accord", confidence: "high", source: "offline" });
    expect(codes(answer)).toEqual(["service_unavailable"]);
    expect(services.autodevVins()).toEqual([HONDA]);
  });

  test("that is off stops the Worker with a sentence", async () => {
    await stack.restart({ ...settings(), DEFAULT_DECODER_SERVICE: "autodev", AUTODEV_API_KEY: "" });
    const problem = await team.client.expect<{ detail: string }>(500, "GET", `/v1/vin/${HONDA}`);
    expect(problem.detail).toContain("AUTODEV_API_KEY");
    await stack.restart(settings());
  });
});

test("neither the key of auto.dev nor a whole VIN is in any log line", async () => {
  await stack.restart({ ...settings(), LOG_LEVEL: "debug" });
  Object.assign(services.fault, { nhtsa: "html", autodev: "forbidden" });
  const vin = newX3();
  await read(vin);
  await team.client.request("GET", `/v1/vin/${vin.slice(0, 16)}`);
  const lines = stack.logs.lines.join("\n");
  expect(lines).toContain("vin_service_failed");
  expect(lines).not.toContain(AUTODEV_KEY);
  expect(lines).not.toContain(vin);
  expect(lines).not.toContain(vin.slice(0, 16));
});
