import { describe, expect, it } from "vitest";
import { limitList, putLimitsInput } from "./limit-input.ts";

const ok = { unit: "requests", window: "minute", max: 1 };

it("fills in what is left out: all models and users together, hard, and closed for money only", () => {
  expect(limitList.parse([ok, { unit: "usd", window: "total", max: "25.5" }])).toEqual([
    {
      unit: "requests",
      window: "minute",
      max: 1,
      model: null,
      endUser: null,
      soft: false,
      onError: "open",
    },
    {
      unit: "usd",
      window: "total",
      max: 25_500_000,
      model: null,
      endUser: null,
      soft: false,
      onError: "closed",
    },
  ]);
});

it("keeps apart a raise that is left out, one that is taken away and one that is set", () => {
  const raise = { max: 5, until: "2027-01-01T00:00:00Z" };
  const raises = limitList
    .parse([ok, { ...ok, window: "hour", raise: null }, { ...ok, window: "day", raise }])
    .map((limit) => limit.raise);
  expect(raises).toEqual([undefined, null, { max: 5, until: new Date(raise.until) }]);
});

describe("the body", () => {
  it.each([{ limits: [ok] }, [ok], { data: [{ ...ok, id: "lim_1" }], next_cursor: null }])(
    "may be %j",
    (body) => {
      expect(putLimitsInput.parse(body).limits).toHaveLength(1);
    },
  );

  it.each([[{}], [null], ["x"], [{ limits: {} }], [{ limits: [], more: 1 }], [{ data: 1 }]])(
    "may not be %j",
    (body) => {
      expect(putLimitsInput.safeParse(body).success).toBe(false);
    },
  );
});

describe("a limit is refused", () => {
  const faultsOf = (limit: object) =>
    putLimitsInput
      .safeParse({ limits: [ok, limit] })
      .error?.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);

  it.each<[object, string]>([
    [{ unit: "requests", max: 1 }, "limits.1.window: must be one of second, minute, hour"],
    [{ unit: "tokens", window: "second", max: 1 }, "limits.1.window: must be one of minute, hour"],
    [{ unit: "usd", window: "minute", max: "1" }, "limits.1.window: must be one of hour, day"],
    [{ unit: "concurrency", window: "minute", max: 1 }, "limits.1.window: must be left out"],
    [{ unit: "usd", window: "day", max: 25 }, "limits.1.max: must be a decimal string"],
    [{ unit: "usd", window: "day", max: "-1" }, "limits.1.max: must be a decimal string"],
    [{ unit: "usd", window: "day", max: "0.0000001" }, "limits.1.max: must be a decimal string"],
    [{ unit: "requests", window: "day", max: "5" }, "limits.1.max: must be a whole number"],
    [{ unit: "requests", window: "day", max: 1.5 }, "limits.1.max: must be a whole number"],
    [{ unit: "requests", window: "day", max: -1 }, "limits.1.max: must be a whole number"],
    [{ unit: "requests", window: "day", max: 1e13 }, "limits.1.max: must be a whole number"],
    [{ unit: "requests", window: "day", max: 1, model: "*" }, "limits.1.model: must be the name"],
    [
      { unit: "requests", window: "day", max: 1, end_user: "\u0000" },
      "limits.1.end_user: must not",
    ],
    [
      { unit: "usd", window: "day", max: "1", raise: { max: 2, until: "2027-01-01T00:00:00Z" } },
      "limits.1.raise.max: must be a decimal string",
    ],
    [
      { unit: "requests", window: "day", max: 1, raise: { max: 2, until: "tomorrow" } },
      "limits.1.raise.until: must be a time",
    ],
    [ok, "limits.1: limits the same as number 0"],
    [{ ...ok, max: 2, model: null }, "limits.1: limits the same as number 0"],
  ])("%j", (limit, fault) => {
    expect(faultsOf(limit)).toEqual([expect.stringContaining(fault)]);
  });

  it("when there are more than twenty of them", () => {
    const limits = Array.from({ length: 21 }, (_, index) => ({ ...ok, model: `model-${index}` }));
    expect(putLimitsInput.safeParse({ limits }).success).toBe(false);
    expect(putLimitsInput.safeParse({ limits: limits.slice(1) }).success).toBe(true);
  });

  it("but not when it is a soft one beside a hard one, or for another user", () => {
    const limits = [ok, { ...ok, soft: true }, { ...ok, end_user: "*" }, { ...ok, end_user: "a" }];
    expect(limitList.safeParse(limits).success).toBe(true);
  });
});
