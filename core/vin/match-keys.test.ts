import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matchKeys } from "./match-keys.ts";

const VIN = "1HGCM82633A004352";
const positions = (...list: number[]) => list.reduce((bits, one) => bits | (1 << (one - 1)), 0);

describe("keys of vPIC", () => {
  it.each([
    ["CM826", 5, [4, 5, 6, 7, 8]],
    ["CM", 2, [4, 5]],
    ["**8", 1, [6]],
    ["*****|*A", 1, [11]],
    ["CM***|3A", 4, [4, 5, 10, 11]],
    ["C[L-N]8", 3, [4, 5, 6]],
    ["[A-CX]*[78]", 2, [4, 6]],
    ["**#", 1, [6]],
    ["*****|**00", 2, [12, 13]],
    ["******", 0, []],
    ["", 0, []],
  ])("%s fit, and ask for %i characters", (keys, specific, asked) => {
    expect(matchKeys(keys, VIN)).toEqual({ specific, positions: positions(...asked) });
  });

  it.each(["CN", "[D-F]", "#", "*****|*B", "C[", "CM8263", "*****|*********0", "CM[]"])(
    "%s do not fit",
    (keys) => expect(matchKeys(keys, VIN)).toBeNull(),
  );

  it("never throw, whatever they are", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."CM8*[]-|#"), maxLength: 30 }), (keys) => {
        matchKeys(keys, VIN);
      }),
    );
  });
});
