import { describe, expect, test } from "vitest";
import { fetchIssuerKeys } from "./fetch-issuer-keys.ts";

const ISSUER = "https://id.example.com/realms/a";
const DISCOVERY = `${ISSUER}/.well-known/openid-configuration`;
const KEYS = "https://keys.example.com/jwks";
const RSA = { kty: "RSA", kid: "r", use: "sig", alg: "RS256", n: "AQAB", e: "AQAB" };

type Answer = () => Response | Promise<Response>;
const json = (value: unknown) => () => Response.json(value);

/** Asks an issuer that answers so; also says which addresses were asked. */
async function ask(
  answers: Record<string, Answer>,
  { issuer = ISSUER, allowPrivate = false } = {},
) {
  const asked: string[] = [];
  const work = fetchIssuerKeys(issuer, {
    allowPrivate,
    async fetch(url, init) {
      asked.push(url);
      expect(init.redirect).toBe("manual");
      return (answers[url] ?? (() => new Response("", { status: 404 })))();
    },
  });
  return { asked, outcome: await work.catch((error: unknown) => String(error)) };
}

const good = {
  [DISCOVERY]: json({ issuer: ISSUER, jwks_uri: KEYS }),
  [KEYS]: json({ keys: [RSA] }),
};

describe("an issuer's keys", () => {
  test("are found by its discovery document", async () => {
    const { use: _, ...key } = RSA;
    expect(await ask(good)).toEqual({ asked: [DISCOVERY, KEYS], outcome: [key] });
  });

  test("are looked for behind an issuer's last slash once", async () => {
    const issuer = "https://tenant.auth0.com/";
    const { asked } = await ask({}, { issuer });
    expect(asked).toEqual(["https://tenant.auth0.com/.well-known/openid-configuration"]);
  });

  test("are public keys for signatures, whatever else is published", async () => {
    const published = [
      { kty: "oct", k: "c2VjcmV0" },
      { ...RSA, kid: "enc", use: "enc" },
      { ...RSA, kid: "ops", key_ops: ["encrypt"] },
      { kty: "AKP", alg: "ML-DSA-44" },
      null,
      "text",
      { ...RSA, kid: "private", d: "secret", p: "secret" },
    ];
    const { outcome } = await ask({ ...good, [KEYS]: json({ keys: published }) });
    expect(outcome).toEqual([{ kty: "RSA", kid: "private", alg: "RS256", n: "AQAB", e: "AQAB" }]);
  });
});

describe("an issuer is not believed", () => {
  test.each<[string, Record<string, Answer>, RegExp]>([
    [
      "that speaks for another",
      { [DISCOVERY]: json({ issuer: "https://evil.example", jwks_uri: KEYS }) },
      /evil/,
    ],
    [
      "whose name differs by a slash",
      { [DISCOVERY]: json({ issuer: `${ISSUER}/`, jwks_uri: KEYS }) },
      /discovery/,
    ],
    [
      "whose keys come without TLS",
      { [DISCOVERY]: json({ issuer: ISSUER, jwks_uri: "http://keys.example.com" }) },
      /https/,
    ],
    [
      "whose keys are on this network",
      { [DISCOVERY]: json({ issuer: ISSUER, jwks_uri: "https://169.254.169.254/x" }) },
      /private/,
    ],
    [
      "that sends elsewhere",
      { [DISCOVERY]: () => Response.redirect("https://evil.example") },
      /302/,
    ],
    [
      "whose keys are elsewhere",
      { ...good, [KEYS]: () => Response.redirect("https://evil.example") },
      /302/,
    ],
    ["that fails", { [DISCOVERY]: () => new Response("", { status: 500 }) }, /500/],
    [
      "that cannot be reached",
      { [DISCOVERY]: () => Promise.reject(new Error("refused")) },
      /refused/,
    ],
    ["that answers with a page", { [DISCOVERY]: () => new Response("<html>") }, /JSON/],
    ["that has no list of keys", { ...good, [KEYS]: json({ keys: "none" }) }, /keys/],
    ["that has too many keys", { ...good, [KEYS]: json({ keys: Array(101).fill(RSA) }) }, /keys/],
    [
      "whose answer is too long",
      { ...good, [KEYS]: json({ keys: [], pad: "x".repeat(300_000) }) },
      /bytes/,
    ],
  ])("%s", async (_name, answers, fault) => {
    expect((await ask(answers)).outcome).toMatch(fault);
  });

  test("whose answer never ends", async () => {
    let pulls = 0;
    const endless = () =>
      new Response(
        new ReadableStream({
          pull(controller) {
            pulls++;
            controller.enqueue(new Uint8Array(64 * 1024));
          },
        }),
      );
    expect((await ask({ ...good, [KEYS]: endless })).outcome).toMatch(/bytes/);
    expect(pulls).toBeLessThan(10);
  });
});
