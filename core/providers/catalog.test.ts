import { describe, expect, it } from "vitest";
import { PATIENCE } from "#test/providers/routes.ts";
import { type Catalog, type ConfiguredService, defaultModel, routeTo } from "./catalog.ts";
import { listModels } from "./list-models.ts";

const prices = { inputPerMillionMicros: 150_000, outputPerMillionMicros: 600_000 };
const modelAt = (provider: string, model: string) => ({
  targets: [{ provider, model, weight: 1 }],
  strategy: "ordered" as const,
  hedgeAfterMs: null,
  prices,
  maxOutputTokens: 100,
  contextTokens: 1_000,
  createdAt: 5_000,
});
const catalog: Catalog = {
  providers: {
    acme: {
      kind: "openai",
      baseUrl: "https://acme.example/v1",
      apiKeySealed: "v1.sealed",
      timeoutMs: 1_000,
      patience: PATIENCE,
      updatedAt: 1,
    },
  },
  models: {
    fast: modelAt("acme", "acme-1"),
    priced: modelAt("default", "gpt-4o-mini"),
    orphan: modelAt("gone", "x"),
  },
};
const service: ConfiguredService = {
  url: "https://service.example/v1",
  apiKey: "key",
  models: ["first", "second"],
};
const noService: ConfiguredService = { url: null, apiKey: null, models: [] };
const nobody = () => Promise.resolve([]);

const first = (...parameters: Parameters<typeof routeTo>) => routeTo(...parameters).targets[0];

describe("the way to a model", () => {
  it("is the target that an admin gave it, with its price", () => {
    expect(first("fast", catalog, noService)).toMatchObject({
      provider: "acme",
      targetModel: "acme-1",
      endpoint: { baseUrl: "https://acme.example/v1", apiKeySealed: "v1.sealed" },
      prices,
    });
  });

  it("is the configured service for the models that the settings name, or for any where they name none", () => {
    expect(first("second", catalog, service)).toMatchObject({
      provider: "default",
      targetModel: "second",
      endpoint: { apiKey: "key" },
    });
    expect(() => routeTo("third", catalog, service)).toThrow(/does not exist/);
    expect(first("third", catalog, { ...service, models: [] })).toMatchObject({
      provider: "default",
      targetModel: "third",
    });
  });

  it("may lead to the configured service under a name and a price of its own", () => {
    expect(first("priced", catalog, service)).toMatchObject({
      provider: "default",
      targetModel: "gpt-4o-mini",
      prices,
    });
    expect(() => routeTo("priced", catalog, noService)).toThrow(/provider of the model/);
  });

  it("says that an operator is needed where the provider is gone", () => {
    expect(() => routeTo("orphan", catalog, service)).toThrow(/operator/);
  });

  it("never takes a name of JavaScript's own objects for a model", () => {
    for (const name of ["constructor", "__proto__", "toString"]) {
      expect(() => routeTo(name, catalog, noService)).toThrow(/does not exist/);
    }
  });

  it("is the builtin model where nothing is configured", async () => {
    expect(first("builtin", catalog, noService).endpoint).toBeNull();
    expect(await defaultModel(noService, nobody)).toBe("builtin");
    expect(await defaultModel(service, nobody)).toBe("first");
    expect(await defaultModel({ ...service, models: [] }, () => Promise.resolve(["listed"]))).toBe(
      "listed",
    );
    await expect(defaultModel({ ...service, models: [] }, nobody)).rejects.toThrow(
      /AI_SERVICE_MODEL/,
    );
  });
});

describe("the list of models", () => {
  const admin = { kind: "super_admin", teamId: null } as const;

  it("has those of the catalog, of the service and the builtin one, each once", async () => {
    const names = (
      await listModels(admin, catalog, { ...service, models: ["fast", "first"] }, nobody)
    ).map(({ name }) => name);
    expect(names).toEqual(["builtin", "fast", "first", "orphan", "priced"]);
  });

  it("has only what a key may use", async () => {
    const key = {
      kind: "key",
      teamId: "team_a",
      keyId: "key_a",
      scopes: ["chat"],
      models: ["fast", "nothing"],
    } as const;
    expect((await listModels(key, catalog, service, nobody)).map(({ name }) => name)).toEqual([
      "fast",
    ]);
  });
});
