import fc from "fast-check";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { makeRecord, of, openTestDatabase, type TestDatabase } from "#test/usage/database.ts";
import { storableRecord } from "./storable-record.ts";
import { storeUsageRecords } from "./store-usage-records.ts";

let database: TestDatabase;
beforeAll(async () => (database = await openTestDatabase(inject("postgres"))));
afterAll(() => database.drop());

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 250 }),
  fc.constantFrom(
    "\u0000",
    "a\u0000b",
    "\ud800",
    "\udc00x",
    `${"x".repeat(199)}😀`,
    "",
    "گفتگو",
    "\\u0000",
  ),
);
const number = fc.oneof(
  fc.integer(),
  fc.constantFrom(2 ** 31, 2 ** 53, 1e300, -1, 1.5, Number.NaN, Infinity, -Infinity),
);

it("makes of any record one that Postgres stores, whatever clients and providers put in", async () => {
  const hostile = fc.record({
    keyId: fc.option(text),
    sessionId: fc.option(text),
    endUser: fc.option(text),
    model: text,
    provider: fc.option(text),
    status: number,
    errorCode: fc.option(text),
    inputTokens: number,
    outputTokens: number,
    costMicros: number,
    latencyMs: number,
    firstTokenMs: fc.option(number),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(hostile, { minLength: 1, maxLength: 50 }), async (fields) => {
      const records = fields.map((over) => storableRecord(makeRecord(over)));
      const { inserted } = await storeUsageRecords(database.context().db, of("team_a", ...records));
      expect(inserted).toBe(records.length);
    }),
    { numRuns: 40 },
  );
});

it("changes nothing in a record that is fine, nor in one that it has mended", () => {
  const record = makeRecord({ endUser: "زهرا 😀", costMicros: 123_456 });
  expect(storableRecord(record)).toEqual(record);
  const mended = storableRecord(makeRecord({ model: `${"x".repeat(199)}😀\u0000` }));
  expect(storableRecord(mended)).toEqual(mended);
});
