import fc from "fast-check";
import { expect, it } from "vitest";
import { makeRecord } from "#test/usage/database.ts";
import {
  MESSAGE_BYTES,
  messageText,
  packBatches,
  splitBatch,
  type StoredBatch,
} from "./pack-batches.ts";
import { readUsageMessage } from "./read-usage-message.ts";
import { storableRecord } from "./storable-record.ts";

const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value)).length;
/** A message as its consumer reads it. */
const messageOf = (teamId: string, batches: StoredBatch[]): unknown =>
  JSON.parse(messageText({ teamId, batches }));

it("packs every record once, in order, into messages that a queue takes", () => {
  const text = fc.string({ unit: "binary", maxLength: 400 });
  const record = fc
    .record({ model: text, endUser: fc.option(text) })
    .map((fields) => storableRecord(makeRecord(fields)));
  fc.assert(
    fc.property(fc.array(fc.array(record, { maxLength: 30 }), { maxLength: 20 }), (batches) => {
      const stored = batches.flatMap((records, index) =>
        splitBatch("team_a", { id: `batch_${index}`, records }, 20_000),
      );
      const messages = packBatches(stored, 20_000);
      expect(
        messages.flatMap((message) => message.batches.flatMap((part) => JSON.parse(part.records))),
      ).toEqual(JSON.parse(JSON.stringify(batches.flat())));
      for (const message of messages)
        expect(bytes(messageOf(message.teamId, message.batches))).toBeLessThan(20_000 + 200);
      const ids = stored.map((part) => part.id);
      expect(new Set(ids).size).toBe(ids.length);
    }),
    { numRuns: 50 },
  );
});

it("fits a batch of the worst records that can be into messages of the queue's size", () => {
  // Control characters take six bytes each in JSON, more than any other character.
  const worst = "\u0001".repeat(300);
  const records = Array.from({ length: 200 }, () =>
    storableRecord(
      makeRecord({
        model: worst,
        endUser: worst,
        sessionId: worst,
        keyId: worst,
        provider: worst,
        errorCode: worst,
      }),
    ),
  );
  const parts = splitBatch("team_a", { id: "batch_1", records });
  expect(parts.length).toBeGreaterThan(1);
  for (const { batches } of packBatches(parts))
    expect(bytes(messageOf("team_a", batches))).toBeLessThan(MESSAGE_BYTES + 1_000);
});

it("cuts a batch that is reported again in the same places, under the same names", () => {
  const records = Array.from({ length: 500 }, () => makeRecord());
  const batch = { id: "batch_1", records };
  expect(splitBatch("team_a", batch)).toEqual(splitBatch("team_a", structuredClone(batch)));
  expect(splitBatch("team_a", batch)[0]?.id).toBe("batch_1");
});

it("puts teams in messages of their own", () => {
  const [a, b] = ["team_a", "team_b"].map((teamId) => ({
    id: `batch_${teamId}`,
    teamId,
    records: "[]",
  }));
  if (!a || !b) throw new Error("unreachable");
  expect(packBatches([a, b]).map((message) => message.teamId)).toEqual(["team_a", "team_b"]);
});

it("writes a message as the consumer reads it, whatever the records hold", () => {
  const record = makeRecord({ model: 'quote " backslash \\ line \n فارسی 😀' });
  const batches = [
    { id: "batch_1", teamId: "team_a", records: JSON.stringify([record, record]) },
    { id: "batch_2", teamId: "team_a", records: "[]" },
  ];
  expect(readUsageMessage(messageText({ teamId: "team_a", batches }))).toEqual({
    kind: "usage",
    teamId: "team_a",
    batchIds: ["batch_1", "batch_2"],
    records: [
      { teamId: "team_a", record },
      { teamId: "team_a", record },
    ],
    rejected: [],
  });
  expect(readUsageMessage("no JSON").kind).toBe("unreadable");
});
