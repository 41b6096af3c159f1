import { describe, expect, it } from "vitest";
import { settleUsage } from "./settle-usage.ts";

/** Looks that see these numbers one after the other, and the last one ever after. */
function looks(...seen: { records: number; exact: number }[]) {
  return async () => (seen.length > 1 ? seen.shift() : seen[0]) ?? { records: 0, exact: 0 };
}
const fast = { withinMs: 400, quietMs: 50 };

describe("settleUsage", () => {
  it("waits for the records that are still under way", async () => {
    const look = looks(
      { records: 1, exact: 1 },
      { records: 2, exact: 2 },
      { records: 3, exact: 3 },
    );
    expect(await settleUsage({ got: { answered: 3, cut: 0 }, look, ...fast })).toContain(
      "3 usage records",
    );
  });

  it("fails where a record of an answered request never comes", async () => {
    const settled = settleUsage({
      got: { answered: 3, cut: 0 },
      look: looks({ records: 2, exact: 2 }),
      ...fast,
    });
    await expect(settled).rejects.toThrow(/lost/);
  });

  it("fails where a request was counted twice", async () => {
    const settled = settleUsage({
      got: { answered: 3, cut: 0 },
      look: looks({ records: 4, exact: 3 }),
      ...fast,
    });
    await expect(settled).rejects.toThrow(/twice/);
  });

  it("fails where an answered request has other token counts than the provider reported", async () => {
    const settled = settleUsage({
      got: { answered: 3, cut: 0 },
      look: looks({ records: 3, exact: 2 }),
      ...fast,
    });
    await expect(settled).rejects.toThrow(/wrong/);
  });

  it("allows records of requests that were cut off, but not more than there were", async () => {
    const got = { answered: 3, cut: 2 };
    expect(await settleUsage({ got, look: looks({ records: 3, exact: 3 }), ...fast })).toContain(
      "2 cut off",
    );
    expect(await settleUsage({ got, look: looks({ records: 5, exact: 3 }), ...fast })).toContain(
      "5 usage records",
    );
    await expect(
      settleUsage({ got, look: looks({ records: 6, exact: 3 }), ...fast }),
    ).rejects.toThrow(/twice/);
  });

  it("does not take the first moment with enough records for the end where more may come", async () => {
    const look = looks({ records: 3, exact: 3 }, { records: 6, exact: 3 });
    await expect(settleUsage({ got: { answered: 3, cut: 2 }, look, ...fast })).rejects.toThrow(
      /twice/,
    );
  });
});
