import { describe, expect, test } from "vitest";
import { newId } from "../kernel/ids.ts";
import { issuerAddressFault, issuerRules } from "./oidc-issuer.ts";

const TEAM = newId("team");
const GOOD = { issuer: "https://id.example.com/", audience: "api", team: { from: "membership" } };

/** What is wrong with these rules; "" for nothing. */
function faultOf(rules: unknown): string {
  const parsed = issuerRules.safeParse(typeof rules === "string" ? rules : JSON.stringify(rules));
  return parsed.success ? "" : parsed.error.issues.map((issue) => issue.message).join("; ");
}

describe("the setting OIDC_ISSUERS", () => {
  test("is empty where nothing is set", () => {
    expect(issuerRules.parse(undefined)).toEqual([]);
    expect(issuerRules.parse("  ")).toEqual([]);
    expect(issuerRules.parse("[]")).toEqual([]);
  });

  test("takes what is left out to be what is safe", () => {
    const [rule] = issuerRules.parse(JSON.stringify([GOOD]));
    expect(rule).toEqual({
      ...GOOD,
      audience: ["api"],
      algorithms: ["RS256", "PS256", "ES256"],
      token_types: ["JWT", "at+jwt"],
      team: { from: "membership", by_verified_email: false },
      models: ["*"],
      end_user: { claim: ["sub"], prefix: "" },
      clock_tolerance_seconds: 30,
    });
  });

  test.each<[string, unknown, RegExp]>([
    ["text that is no JSON", "{", /array/],
    ["one rule without its list", GOOD, /array/],
    ["no audience", [{ ...GOOD, audience: undefined }], /^0\.audience/],
    ["an empty list of audiences", [{ ...GOOD, audience: [] }], /^0\.audience/],
    ["an issuer that is no address", [{ ...GOOD, issuer: "keycloak" }], /^0\.issuer/],
    [
      "the name under which Telegram's users are kept",
      [{ ...GOOD, issuer: "https://telegram.org" }],
      /^0\.issuer stands for Telegram/,
    ],
    ["a symmetric algorithm", [GOOD, { ...GOOD, algorithms: ["HS256"] }], /^1\.algorithms\.0/],
    ["no signature at all", [{ ...GOOD, algorithms: ["none"] }], /^0\.algorithms\.0/],
    ["no algorithms", [{ ...GOOD, algorithms: [] }], /^0\.algorithms/],
    [
      "more than a minute's tolerance",
      [{ ...GOOD, clock_tolerance_seconds: 61 }],
      /clock_tolerance/,
    ],
    ["a misspelt name", [{ ...GOOD, audiance: "x" }], /audiance/],
    ["no rule for the team", [{ ...GOOD, team: undefined }], /^0\.team/],
    [
      "a team that is none",
      [{ ...GOOD, scopes: [], team: { from: "team", id: "acme" } }],
      /id of a team/,
    ],
    ["a team without scopes", [{ ...GOOD, team: { from: "team", id: TEAM } }], /^0\.scopes/],
    [
      "a claim that could name every team",
      [{ ...GOOD, scopes: [], team: { from: "claim", claim: "team" } }],
      /which teams/,
    ],
    ["a scope that there is not", [{ ...GOOD, scopes: ["root"] }], /^0\.scopes/],
    [
      "a scope that a claim maps to nothing known",
      [{ ...GOOD, scopes: { claim: "scope", map: { all: ["super_admin"] } } }],
      /^0\.scopes/,
    ],
  ])("says what is wrong with %s", (_name, rules, fault) => {
    expect(faultOf(rules)).toMatch(fault);
  });

  test("takes every form of a rule", () => {
    const rules = [
      { ...GOOD, audience: ["a", "b"], clients: ["c"], end_user: null },
      { ...GOOD, team: { from: "team", id: TEAM }, scopes: ["chat", "owner"], end_user: "email" },
      {
        ...GOOD,
        team: { from: "claim", claim: ["realm_access", "roles"], map: { acme: TEAM } },
        scopes: { claim: "scope", map: { read: ["usage:read"] } },
        end_user: { claim: ["oid"], prefix: "entra:" },
      },
      { ...GOOD, team: { from: "claim", claim: "team", teams: "*" }, scopes: [] },
      { ...GOOD, team: { from: "membership", teams: [TEAM], by_verified_email: true } },
    ];
    expect(faultOf(rules)).toBe("");
  });
});

describe("an issuer's address", () => {
  test.each<[string, boolean]>([
    ["https://id.example.com/realms/a", true],
    ["http://id.example.com", false],
    ["https://localhost:8080", false],
    ["https://10.0.0.1", false],
    ["https://169.254.169.254/latest", false],
    ["https://user:password@id.example.com", false],
  ])("%s is good in production: %s", (address, good) => {
    expect(issuerAddressFault(address, false) === null).toBe(good);
  });

  test("may be of this machine in development", () => {
    expect(issuerAddressFault("http://127.0.0.1:8080", true)).toBe(null);
    expect(issuerAddressFault("file:///etc/passwd", true)).not.toBe(null);
  });
});
