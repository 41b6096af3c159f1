import { expect, it } from "vitest";
import { changedFields, FIELD_BYTES, SIDE_BYTES } from "./changed-fields.ts";

it("keeps the fields that differ, as the API calls them", () => {
  const at = new Date("2026-11-21T10:00:00Z");
  expect(
    changedFields(
      { id: "a", name: "old", expiresAt: null, scopes: ["chat"], updatedAt: at },
      { id: "a", name: "new", expiresAt: at, scopes: ["chat"], updatedAt: new Date() },
    ),
  ).toEqual({
    before: { name: "old", expires_at: null },
    after: { name: "new", expires_at: "2026-11-21T10:00:00.000Z" },
    truncated: false,
  });
});

it("is nothing where nothing differs but the time of the change", () => {
  const fields = { name: "a", list: [1], updatedAt: new Date(0) };
  expect(changedFields(fields, { ...fields, list: [1], updatedAt: new Date() })).toBeNull();
});

it("tells what was made and what was deleted whole", () => {
  expect(changedFields(null, { name: "a" })).toEqual({
    before: null,
    after: { name: "a" },
    truncated: false,
  });
  expect(changedFields({ name: "a" }, null)).toMatchObject({ before: { name: "a" }, after: null });
  expect(changedFields(null, null)).toEqual({ before: null, after: null, truncated: false });
});

it("tells of secrets that they changed, and nothing else", () => {
  const secrets = (value: string | null) => ({
    hash: value,
    previousHash: value,
    apiKeySealed: value,
    codeHash: value,
    apiKey: value,
    clientSecret: value,
    tokenHash: value,
  });
  const names = ["hash", "previous_hash", "api_key_sealed", "code_hash", "api_key"];
  names.push("client_secret", "token_hash");
  const all = (value: unknown) => Object.fromEntries(names.map((name) => [name, value]));
  expect(changedFields(secrets("s3cret-one"), secrets("s3cret-two"))).toEqual({
    before: all("changed"),
    after: all("changed"),
    truncated: false,
  });
  expect(changedFields(secrets(null), secrets("s3cret"))).toMatchObject({
    before: all(null),
    after: all("set"),
  });
  expect(changedFields(null, secrets("s3cret"))?.after).toEqual({});
  expect(changedFields(secrets("s3cret"), null)?.before).toEqual({});
});

it("shows counts of tokens, which are no secrets", () => {
  expect(changedFields(null, { maxOutputTokens: 5, contextTokens: 6 })?.after).toEqual({
    max_output_tokens: 5,
    context_tokens: 6,
  });
});

it("cuts what is long, field by field and in all, and says so", () => {
  const long = "ä".repeat(FIELD_BYTES);
  const cut = changedFields({ name: "a", note: "short" }, { name: "b", note: long });
  expect(cut).toEqual({
    before: { name: "a", note: "short" },
    after: { name: "b", note: `(left out: ${2 * FIELD_BYTES + 2} bytes)` },
    truncated: true,
  });
  const many = Object.fromEntries(
    Array.from({ length: 100 }, (_, index) => [`field${index}`, "x".repeat(200)]),
  );
  const side = changedFields(null, many);
  expect(side?.truncated).toBe(true);
  const told = Object.values(side?.after ?? {}).filter((value) => value === "x".repeat(200));
  expect(told.length).toBeGreaterThan(10);
  expect(told.length * 200).toBeLessThanOrEqual(SIDE_BYTES);
});
