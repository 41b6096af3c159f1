import { createHmac, createPublicKey } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { newId } from "#core/kernel/ids.ts";
import { ownAddress } from "#test/harness/api-client.ts";
import { startStack, type Stack } from "#test/harness/stack.ts";
import { type AnyIssuer, AUDIENCE, startAnyIssuer } from "./any-issuer.ts";

const TEAM = newId("team");
const OTHER_TEAM = newId("team");

/** Speaks for TEAM only. */
let ours: AnyIssuer;
/** Speaks for OTHER_TEAM only, and names it in a claim. */
let other: AnyIssuer;
/** Takes connections, and never says a word. */
let silent: Server;
let silentUrl: string;
/** Configured nowhere. */
let unknown: AnyIssuer;
let stack: Stack;
beforeAll(async () => {
  ours = await startAnyIssuer("ES256");
  other = await startAnyIssuer("RS256");
  unknown = await startAnyIssuer("ES256");
  silent = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  silentUrl = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`; // it listens on TCP
  const rule = { audience: AUDIENCE, clock_tolerance_seconds: 5, end_user: null };
  const rules = [
    { ...rule, issuer: ours.url, team: { from: "team", id: TEAM }, scopes: ["chat"] },
    { ...rule, issuer: silentUrl, team: { from: "team", id: TEAM }, scopes: ["chat"] },
    {
      ...rule,
      issuer: other.url,
      team: { from: "claim", claim: ["app", "team"], teams: [OTHER_TEAM] },
      scopes: ["usage:read"],
    },
  ];
  stack = await startStack({
    postgres: inject("postgres"),
    workers: ["api"],
    vars: { OIDC_ISSUERS: JSON.stringify(rules) },
  });
  await stack.sql("INSERT INTO teams (id, name) VALUES ($1, 'Ours'), ($2, 'Other')", [
    TEAM,
    OTHER_TEAM,
  ]);
});
afterAll(async () => {
  await stack?.stop();
  await Promise.all([ours, other, unknown].map((issuer) => issuer?.stop()));
  silent?.closeAllConnections();
  await new Promise((resolve) => silent?.close(resolve));
});

interface Answer {
  status: number;
  code: string | undefined;
  teams: string[];
  challenge: string | null;
}

/** Asks for the caller's teams: what everybody may who is let in. */
async function ask(token: string, headers: Record<string, string> = {}): Promise<Answer> {
  const from = { "cf-connecting-ip": ownAddress() };
  const response = await stack
    .client(token)
    .request("GET", "/v1/teams", undefined, { ...from, ...headers });
  const body = (await response.json()) as { code?: string; data?: { id: string }[] }; // a problem or a list
  return {
    status: response.status,
    code: body.code,
    teams: (body.data ?? []).map((team) => team.id),
    challenge: response.headers.get("www-authenticate"),
  };
}

const seconds = (more: number) => Math.floor(Date.now() / 1000) + more;
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
const bytesOf = (part: string) => Buffer.from(part, "base64url");

/** The token with another header or other claims, and the signature of the first one. */
function forged(token: string, change: { header?: object; claims?: object }): string {
  const [header = "", claims = "", signature = ""] = token.split(".");
  const part = (text: string, more: object | undefined) =>
    more ? encode({ ...(JSON.parse(bytesOf(text).toString()) as object), ...more }) : text;
  return [part(header, change.header), part(claims, change.claims), signature].join(".");
}

/** Signs by HMAC, as somebody does who has nothing but a public key. */
function hmac(header: object, claims: object, secret: string | Buffer): string {
  const text = `${encode(header)}.${encode(claims)}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

const usualClaims = (issuer: AnyIssuer) => ({
  iss: issuer.url,
  aud: AUDIENCE,
  sub: "somebody",
  exp: seconds(600),
});

describe("a good token", () => {
  it("opens the team of its issuer's rule", async () => {
    expect(await ask(await ours.token())).toMatchObject({ status: 200, teams: [TEAM] });
    const named = await other.token({ app: { team: OTHER_TEAM } });
    expect(await ask(named)).toMatchObject({ status: 200, teams: [OTHER_TEAM] });
  });

  it.each<[string, () => Promise<string>]>([
    ["for several audiences", () => ours.token({ aud: ["else", AUDIENCE] })],
    ["that is a few seconds early", () => ours.token({ nbf: seconds(3) })],
    ["that ended a few seconds ago", () => ours.token({ exp: seconds(-2) })],
    ["of the plain type", () => ours.token({}, { typ: "JWT" })],
    ["of its type's long name", () => ours.token({}, { typ: "application/at+jwt" })],
    ["without a type", () => ours.token({}, { typ: undefined })],
    ["without a key id, where there is one key", () => ours.token({}, { kid: undefined })],
    [
      "with a nonce, as older releases of Keycloak write it",
      () => ours.token({ nonce: "n", typ: "Bearer" }, { typ: "JWT" }),
    ],
  ])("is taken %s", async (_name, make) => {
    expect(await ask(await make())).toMatchObject({ status: 200 });
  });

  it("costs its issuer nothing once its keys are known", async () => {
    await ask(await ours.token());
    const before = ours.requests.length;
    for (let i = 0; i < 20; i++) await ask(await ours.token({ jti: String(i) }));
    expect(ours.requests.length).toBe(before);
  });
});

describe("a token is refused", () => {
  it.each<[string, () => Promise<string>]>([
    ["for another audience", () => ours.token({ aud: "another" })],
    ["for an audience that only begins alike", () => ours.token({ aud: `${AUDIENCE}2` })],
    ["without an audience", () => ours.token({ aud: undefined })],
    ["with an audience that is an object", () => ours.token({ aud: { [AUDIENCE]: true } })],
    ["of an issuer that is not known", () => unknown.token()],
    ["of an unknown issuer that says it is ours", () => unknown.token({ iss: ours.url })],
    [
      "of an unknown issuer under our key's id",
      () => unknown.token({ iss: ours.url }, { kid: ours.publicJwk.kid }),
    ],
    ["with a slash behind its issuer", () => ours.token({ iss: `${ours.url}/` })],
    ["with a list of issuers", () => ours.token({ iss: [ours.url] })],
    ["without an issuer", () => ours.token({ iss: undefined })],
    ["without an end", () => ours.token({ exp: undefined })],
    ["with an end that is a text", () => ours.token({ exp: String(seconds(600)) })],
    ["that begins later", () => ours.token({ nbf: seconds(60) })],
    ["with a beginning that is no number", () => ours.token({ nbf: "now" })],
    ["without a subject", () => ours.token({ sub: undefined })],
    ["with an empty subject", () => ours.token({ sub: "" })],
    ["with a subject that is a number", () => ours.token({ sub: 7 })],
    ["with a subject that no database takes", () => ours.token({ sub: "a\u0000b" })],
    ["with a subject too long to be told apart", () => ours.token({ sub: "s".repeat(300) })],
    [
      "with an extension that must be understood",
      () => ours.token({}, { crit: ["urn:example:extension"], "urn:example:extension": 1 }),
    ],
    ["of a logout", () => ours.token({}, { typ: "logout+jwt" })],
    ["that proves a key (DPoP) and is sent without it", () => ours.token({ cnf: { jkt: "x" } })],
    ["of the kind ID, by Keycloak", () => ours.token({ typ: "ID" }, { typ: "JWT" })],
    ["of the kind ID, by Cognito", () => ours.token({ token_use: "id" }, { typ: "JWT" })],
    [
      "of the kind ID, by its hash of an access token",
      () => ours.token({ at_hash: "x" }, { typ: "JWT" }),
    ],
    ["of the kind ID, by its nonce", () => ours.token({ nonce: "x" }, { typ: "JWT" })],
    ["to refresh others", () => ours.token({ typ: "Refresh" }, { typ: "JWT" })],
    ["that is huge", () => ours.token({ padding: "x".repeat(9_000) })],
    ["whose key id leads elsewhere", () => ours.token({}, { kid: "../../../../etc/passwd" })],
    ["whose key id is another issuer's", () => ours.token({}, { kid: other.publicJwk.kid })],
  ])("%s", async (_name, make) => {
    const { status, code, challenge } = await ask(await make());
    expect({ status, code }).toEqual({ status: 401, code: "invalid_token" });
    expect(challenge).toContain("invalid_token");
  });

  it("that has ended, by another code", async () => {
    const { status, code } = await ask(await ours.token({ exp: seconds(-30) }));
    expect({ status, code }).toEqual({ status: 401, code: "expired_token" });
  });

  it("from the second on in which it ends, also where it was taken before", async () => {
    const token = await ours.token({ exp: seconds(-3) }); // with the tolerance, two seconds are left
    expect((await ask(token)).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 3_100));
    expect((await ask(token)).code).toBe("expired_token");
  });

  it("without a signature, whatever it calls that", async () => {
    for (const alg of ["none", "None", "NONE", "nOnE", "", undefined]) {
      const token = `${encode({ alg, typ: "at+jwt" })}.${encode(usualClaims(ours))}.`;
      expect((await ask(token)).status).toBe(401);
      const signed = await ours.token();
      expect((await ask(forged(signed, { header: { alg } }))).status).toBe(401);
    }
  });

  it("signed by HMAC with the issuer's public key in any of its shapes", async () => {
    const jwk = other.publicJwk;
    const key = createPublicKey({ key: jwk as Record<string, string>, format: "jwk" }); // jose and Node name one format
    const pem = String(key.export({ type: "spki", format: "pem" }));
    const secrets = [
      pem,
      pem.trim(),
      key.export({ type: "spki", format: "der" }),
      JSON.stringify(jwk),
      bytesOf(jwk.n ?? ""),
      "",
    ];
    const claims = { ...usualClaims(other), app: { team: OTHER_TEAM } };
    for (const secret of secrets) {
      for (const kid of [jwk.kid, undefined]) {
        const answer = await ask(hmac({ alg: "HS256", typ: "at+jwt", kid }, claims, secret));
        expect(answer).toMatchObject({ status: 401, code: "invalid_token" });
      }
    }
  });

  it("that brings its own key along", async () => {
    const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
    const jwk: JWK = await exportJWK(publicKey);
    const headers: object[] = [
      { jwk },
      { jwk, kid: ours.publicJwk.kid },
      { jku: `${unknown.url}/keys`, kid: unknown.publicJwk.kid },
      { x5u: `${unknown.url}/keys` },
    ];
    const before = unknown.requests.length;
    for (const header of headers) {
      const token = await new SignJWT(usualClaims(ours))
        .setProtectedHeader({ alg: "ES256", ...header })
        .sign(privateKey);
      expect(await ask(token)).toMatchObject({ status: 401, code: "invalid_token" });
    }
    expect(unknown.requests.length).toBe(before);
  });

  it("by an algorithm that its rule does not name, though its key could sign so", async () => {
    const token = await new SignJWT({ ...usualClaims(other), app: { team: OTHER_TEAM } })
      .setProtectedHeader({ alg: "RS512", kid: other.publicJwk.kid ?? "" })
      .sign(await rsaKeyFor("RS512"));
    expect(await ask(token)).toMatchObject({ status: 401, code: "invalid_token" });
  });

  it("wherever a single character of it is changed", async () => {
    const good = await ours.token();
    const answers = new Set<number>();
    for (let at = 0; at < good.length; at += 7) {
      const letter = good.charAt(at);
      if (letter === ".") continue;
      // The last character of a part may hold bits that say nothing; those tokens are refused as malformed.
      const changed = good.slice(0, at) + (letter === "A" ? "B" : "A") + good.slice(at + 1);
      answers.add((await ask(changed)).status);
    }
    expect([...answers]).toEqual([401]);
    expect((await ask(good)).status).toBe(200);
  });

  it("with claims or a header of its bearer's own", async () => {
    const good = await ours.token();
    expect((await ask(good)).status).toBe(200); // it is remembered from here on
    const changes = [
      { claims: { sub: "admin" } },
      { claims: { exp: seconds(99_999) } },
      { claims: { aud: [AUDIENCE, "x"] } },
      { header: { alg: "RS256" } },
      { header: { typ: "JWT" } },
    ];
    for (const change of changes) expect((await ask(forged(good, change))).status).toBe(401);
  });

  it("in any form that is none", async () => {
    const good = await ours.token();
    const [header = "", claims = "", signature = ""] = good.split(".");
    const forms = [
      `${header}.${claims}`,
      `${header}.${claims}.`,
      `${good}.`,
      `${good}.${signature}`,
      `.${claims}.${signature}`,
      `${header}..${signature}`,
      `${header}.${claims}.${signature}=`,
      `${header}.${claims}.${signature}%00`,
      `eyJ.eyJ.eyJ`,
      `eyJhbGciOiJFUzI1NiJ9.e30.AAAA`,
      `${encode({ alg: "ES256", b64: false, crit: ["b64"] })}.${claims}.${signature}`,
      `${encode([])}.${claims}.${signature}`,
      `${encode({ alg: "ES256" })}.${encode("text")}.${signature}`,
      `${encode({ alg: { toString: 1 } })}.${claims}.${signature}`,
      `${header}.${claims}.${signature}`.toUpperCase(),
    ];
    for (const form of forms)
      expect({ form, status: (await ask(form)).status }).toMatchObject({ status: 401 });
  });

  it("anywhere but in Authorization: Bearer", async () => {
    const good = await ours.token();
    const from = { "cf-connecting-ip": ownAddress() };
    const nobody = stack.client(null);
    const places: Record<string, string>[] = [
      { "x-api-key": good },
      { authorization: `Basic ${good}` },
      { authorization: good },
      { cookie: `access_token=${good}` },
    ];
    for (const place of places) {
      const answer = await nobody.request("GET", "/v1/teams", undefined, { ...from, ...place });
      expect(answer.status).toBe(401);
    }
    const asked = await nobody.request("GET", `/v1/teams?access_token=${good}`, undefined, from);
    expect(asked.status).toBe(401);
  });
});

describe("a token of one issuer and the team of another", () => {
  it("do not come together by a claim, a header or a query", async () => {
    const claimed = await other.token({ app: { team: TEAM } });
    expect(await ask(claimed)).toMatchObject({ status: 403, code: "forbidden" });
    const both = await other.token({ app: { team: [TEAM, OTHER_TEAM] } });
    expect(await ask(both)).toMatchObject({ status: 200, teams: [OTHER_TEAM] });
    const header = await ask(both, { "x-team-id": TEAM });
    const ghost = await ask(both, { "x-team-id": newId("team") });
    expect(header).toEqual({ status: 404, code: "not_found", teams: [], challenge: null });
    expect(header).toEqual(ghost);
    const query = await stack.client(both).request("GET", `/v1/teams?team_id=${TEAM}`);
    expect(await query.text()).not.toContain(TEAM);
    await stack.client(both).expect(404, "GET", `/v1/teams/${TEAM}`);
  });

  it("is forbidden where the claim names no team at all", async () => {
    for (const app of [undefined, {}, { team: "" }, { team: 7 }, { team: "team_nonsense" }, "team"])
      expect(await ask(await other.token({ app }))).toMatchObject({
        status: 403,
        code: "forbidden",
      });
  });
});

describe("an issuer that never answers", () => {
  it("makes its own bearers wait for some seconds together, and nobody else", async () => {
    const token = await unknown.token({ iss: silentUrl });
    const startedAt = Date.now();
    const waiting = Promise.all(Array.from({ length: 20 }, () => ask(token)));
    await new Promise((resolve) => setTimeout(resolve, 500)); // so that they wait already
    expect(await ask(await ours.token())).toMatchObject({ status: 200 });
    const beside = Date.now() - startedAt;
    const answers = await waiting;
    const all = Date.now() - startedAt;
    expect(new Set(answers.map(({ status, code }) => `${status} ${code}`))).toEqual(
      new Set(["503 unavailable"]),
    );
    expect(beside).toBeLessThan(all);
    expect(all).toBeLessThan(20_000);
    const again = Date.now();
    expect((await ask(token)).status).toBe(503);
    expect(Date.now() - again).toBeLessThan(2_000); // it was asked a moment ago
  });
});

describe("failed tokens", () => {
  it("count for their address, and stop being looked at when there are too many", async () => {
    const from = { "cf-connecting-ip": ownAddress() };
    const good = await ours.token();
    const statuses: number[] = [];
    for (let i = 0; i < 120; i++)
      statuses.push((await ask(await ours.token({ aud: "x", jti: String(i) }), from)).status);
    expect(statuses.filter((status) => status === 401).length).toBe(100);
    expect(new Set(statuses.slice(100))).toEqual(new Set([429]));
    expect((await ask(good, from)).status).toBe(200); // whoever has a good one gets through beside them
  });
});

async function rsaKeyFor(alg: string): Promise<CryptoKey> {
  const jwk = { ...(await exportJWK(other.privateKey)), alg };
  const key = await importJWK(jwk, alg);
  if (!(key instanceof CryptoKey)) throw new Error("An RSA key is a CryptoKey");
  return key;
}
