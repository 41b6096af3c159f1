import { describe, expect, it } from "vitest";
import { listOf, objectOf } from "#core/chat/loose-json.ts";
import { KIND_NAMES } from "#core/providers/kinds/kind.ts";
import { kindOf } from "#core/providers/kinds/kinds.ts";
import { Gathered, kindRequest, saidIn } from "./gathered.ts";
import { RECORDINGS } from "./recordings/recordings.ts";

it("knows every kind", () => {
  expect(RECORDINGS.map(({ kind }) => kind).toSorted()).toEqual([...KIND_NAMES].toSorted());
  for (const { kind, streams, wholes, refusals, embeddings } of RECORDINGS) {
    expect([streams.length, wholes.length, refusals.length]).not.toContain(0);
    expect(embeddings === null).toBe(kindOf(kind).embeddings === null);
  }
});

const WHOLES = RECORDINGS.flatMap(({ kind, wholes }) =>
  wholes.map((recording) => ({ kind, scenario: recording.scenario, recording })),
);

describe.each(WHOLES)("a whole answer of $kind: $scenario", ({ kind, recording }) => {
  const decode = kindOf(kind).chat(kindRequest()).decodeWhole;
  const decoded = (text: string) => (decode ? decode(text) : text);

  it("says as a completion what it said", () => {
    const completion = objectOf(JSON.parse(decoded(recording.wire)));
    expect(completion["model"]).toBe("ours");
    const gathered = new Gathered();
    gathered.add(completion, "message");
    expect(gathered.said).toEqual(saidIn(recording));
  });

  it("gives each call an id of its own", () => {
    const completion = objectOf(JSON.parse(decoded(recording.wire)));
    const choice = objectOf(listOf(completion["choices"])[0]);
    const calls = listOf(objectOf(choice["message"])["tool_calls"]).map(objectOf);
    expect(new Set(calls.map(({ id }) => id)).size).toBe(recording.calls.length);
    expect(calls.every(({ id }) => typeof id === "string" && id !== "")).toBe(true);
  });

  it.runIf(decode)("is none when it was cut at any place, or is something else", () => {
    for (let end = 0; end < recording.wire.length; end++)
      expect(() => decoded(recording.wire.slice(0, end))).toThrow();
    for (const other of ["<html></html>", "null", "[]", "{}", '"text"', '{"error":{}}'])
      expect(() => decoded(other)).toThrow();
  });
});

describe.each(RECORDINGS)("error answers of $kind", ({ kind, refusals }) => {
  it.each(refusals)("mean what they say: $status", ({ status, body, meaning, message }) => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    expect(kindOf(kind).readRefusal(status, text)).toMatchObject({ status: meaning, message });
  });

  it("mean their status where they say nothing that can be read", () => {
    for (const text of [null, "", "<html>", "null", "[]", '{"error":null}', '{"error":7}'])
      expect(kindOf(kind).readRefusal(503, text)).toMatchObject({ status: 503, message: null });
  });
});
