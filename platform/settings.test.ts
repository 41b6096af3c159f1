import { expect, test } from "vitest";
import { apiSettings, readSettings } from "./settings.ts";

const SET = {
  DATABASE_URL: "postgresql://user:password@host/name",
  UPSTASH_REDIS_REST_URL: "https://example.upstash.io",
  UPSTASH_REDIS_REST_TOKEN: "token",
  MASTER_KEY: Buffer.alloc(32).toString("base64"),
};

const rule = (issuer: string) =>
  JSON.stringify([{ issuer, audience: "api", team: { from: "membership" } }]);

test("a Worker starts with what it needs and nothing else", () => {
  expect(readSettings(apiSettings, SET).OIDC_ISSUERS).toEqual([]);
});

test("settings are read once, and what hangs on them is made once", () => {
  const env = { ...SET };
  expect(readSettings(apiSettings, env)).toBe(readSettings(apiSettings, env));
  expect(readSettings(apiSettings, { ...env })).not.toBe(readSettings(apiSettings, env));
});

test.each([
  [{ OIDC_ISSUERS: "nonsense" }, /OIDC_ISSUERS: .*array/],
  [
    { OIDC_ISSUERS: JSON.stringify([{ issuer: "https://id.example.com" }]) },
    /OIDC_ISSUERS: 0\.audience/,
  ],
  [{ OIDC_ISSUERS: rule("http://id.example.com") }, /OIDC_ISSUERS: .*https/],
  [{ OIDC_ISSUERS: rule("https://127.0.0.1:8080") }, /OIDC_ISSUERS: .*public internet/],
  [{ DATABASE_URL: undefined, MASTER_KEY: "short" }, /DATABASE_URL.*MASTER_KEY/s],
])("a Worker does not start with %j, and says which setting is wrong", (wrong, sentence) => {
  expect(() => readSettings(apiSettings, { ...SET, ...wrong })).toThrow(sentence);
});

test("an issuer on this machine is for development", () => {
  const local = { OIDC_ISSUERS: rule("http://127.0.0.1:8080"), ALLOW_PRIVATE_UPSTREAMS: "1" };
  expect(readSettings(apiSettings, { ...SET, ...local }).OIDC_ISSUERS).toHaveLength(1);
});
