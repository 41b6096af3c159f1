import fc from "fast-check";
import { expect, it } from "vitest";
import { RATIO_NAMES } from "../metrics/ratios.ts";
import { noSums, type Sums } from "../metrics/sums.ts";
import { decompose, type Member } from "./decompose.ts";

const units = (value: number) => BigInt(Math.round(value * 1e6));
const sums = (over: Partial<Record<keyof Sums, number>>): Sums => ({
  ...noSums(),
  ...Object.fromEntries(Object.entries(over).map(([name, value]) => [name, units(value)])),
});
const member = (
  [spend0, conversions0]: [number, number],
  [spend1, conversions1]: [number, number],
): Member => ({
  before: sums({ spend: spend0, conversions: conversions0 }),
  after: sums({ spend: spend1, conversions: conversions1 }),
});
const partsOf = (...members: Member[]) => decompose("cpa", members).parts.map(({ part }) => part);

it("gives a member that did not change no part, whatever the others do", () => {
  const parts = partsOf(member([100, 10], [100, 10]), member([50, 5], [500, 7]));
  expect(parts[0]).toBe(0n);
  expect(parts[1]).toBe(units(600 / 17) - units(10));
});

it("tells a worse ratio of one's own from more of what was dear before", () => {
  const worse = decompose("cpa", [member([100, 10], [200, 10]), member([100, 10], [100, 10])]);
  expect(worse.parts.map(({ rate, mix }) => [rate, mix])).toEqual([
    [units(5), 0n],
    [0n, 0n],
  ]);
  const shifted = decompose("cpa", [member([100, 10], [50, 5]), member([400, 10], [600, 15])]);
  expect(shifted.parts.every(({ rate }) => rate === 0n)).toBe(true);
  expect(shifted.parts.every(({ mix }) => (mix ?? 0n) > 0n)).toBe(true);
});

it("has a part for those that came, went, or spend without a conversion", () => {
  const found = decompose("cpa", [
    member([100, 10], [100, 10]),
    member([0, 0], [40, 2]),
    member([30, 6], [0, 0]),
    member([0, 0], [25, 0]),
    member([20, 1], [20, 0]),
  ]);
  expect(found.parts.map(({ presence }) => presence)).toEqual([
    "both",
    "new",
    "vanished",
    "new",
    "without",
  ]);
  expect(found.parts.slice(1).every(({ part }) => part > 0n)).toBe(true);
  expect(found.parts.reduce((all, { part }) => all + part, 0n)).toBe(found.change);
});

it("takes nothing apart where the whole has no ratio in one of the periods", () => {
  expect(decompose("cpa", [member([5, 0], [5, 1])])).toEqual({
    before: null,
    after: units(5),
    change: null,
    parts: [],
  });
  expect(decompose("cpa", [])).toMatchObject({ change: null });
});

const amount = fc.oneof(
  fc.constant(null),
  fc.constant(0n),
  fc.bigInt({ min: 0n, max: 9n }),
  fc.bigInt({ min: 0n, max: 10n ** 8n }),
  fc.bigInt({ min: 0n, max: 10n ** 20n }),
);
const anySums: fc.Arbitrary<Sums> = fc.record({
  impressions: amount,
  clicks: amount,
  spend: amount,
  conversions: amount,
  revenue: amount,
});
const anyMember = fc.oneof(
  fc.record({ before: anySums, after: anySums }),
  fc.record({ before: fc.constant(noSums()), after: anySums }),
  fc.record({ before: anySums, after: fc.constant(noSums()) }),
  anySums.map((same) => ({ before: same, after: same })),
);

it("has parts that add up to the printed change in its last digit, and rate and mix to each part", () => {
  let taken = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...RATIO_NAMES),
      fc.array(anyMember, { maxLength: 40 }),
      (name, members) => {
        const { before, after, change, parts } = decompose(name, members);
        if (change === null) return before === null || after === null;
        taken += 1;
        expect(change).toBe((after ?? 0n) - (before ?? 0n));
        expect(parts).toHaveLength(members.length);
        expect(parts.reduce((all, { part }) => all + part, 0n)).toBe(change);
        for (const { part, rate, mix, presence } of parts) {
          if (presence === "both") expect((rate ?? 0n) + (mix ?? 0n)).toBe(part);
          else expect([rate, mix]).toEqual([null, null]);
        }
        return true;
      },
    ),
    { numRuns: 3_000 },
  );
  expect(taken).toBeGreaterThan(1_000);
});

it("is never further than a millionth from the exact part", () => {
  fc.assert(
    fc.property(fc.array(anyMember, { minLength: 1, maxLength: 10 }), (members) => {
      const { change, parts } = decompose("cpa", members);
      if (change === null) return;
      const total = (pick: (one: Member) => bigint | null) =>
        members.reduce((all, one) => all + (pick(one) ?? 0n), 0n);
      const [N0, N1] = [total((one) => one.before.spend), total((one) => one.after.spend)];
      const [D0, D1] = [
        total((one) => one.before.conversions),
        total((one) => one.after.conversions),
      ];
      for (const { member: one, part } of parts) {
        const dn = (one.after.spend ?? 0n) - (one.before.spend ?? 0n);
        const dd = (one.after.conversions ?? 0n) - (one.before.conversions ?? 0n);
        const off = part * 2n * D0 * D1 - 1_000_000n * (dn * (D0 + D1) - dd * (N0 + N1));
        expect(off <= 2n * D0 * D1 && -off <= 2n * D0 * D1).toBe(true);
      }
    }),
    { numRuns: 1_000 },
  );
});
