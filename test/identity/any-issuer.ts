import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";

/** The audience that tokens of these issuers have unless a test says otherwise. */
export const AUDIENCE = "switchyard";

/** An issuer that signs whatever a test wants, hostile things too. */
export interface AnyIssuer {
  url: string;
  /** As the discovery document names them; a test may change what is published. */
  published: { issuer: string; jwks: { keys: JWK[] }; jwksUri: string | null };
  publicJwk: JWK;
  privateKey: CryptoKey;
  /** A token with these claims over the usual ones; undefined takes one away. */
  token(claims?: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>;
  /** Requests that came, by path. */
  requests: string[];
  stop(): Promise<void>;
}

export async function startAnyIssuer(alg = "ES256"): Promise<AnyIssuer> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const kid = randomBytes(6).toString("hex");
  const publicJwk: JWK = { ...(await exportJWK(publicKey)), kid, alg, use: "sig" };
  const published = { issuer: "", jwks: { keys: [publicJwk] }, jwksUri: null as string | null };
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? "");
    response.setHeader("content-type", "application/json");
    const { issuer, jwksUri } = published;
    if (request.url?.endsWith("/.well-known/openid-configuration"))
      response.end(JSON.stringify({ issuer, jwks_uri: jwksUri ?? `${url}/keys` }));
    else response.end(JSON.stringify(published.jwks));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // it listens on TCP
  published.issuer = url;
  return {
    url,
    published,
    publicJwk,
    privateKey,
    requests,
    token(claims = {}, header = {}) {
      const now = Math.floor(Date.now() / 1000);
      const all = { iss: url, aud: AUDIENCE, sub: "somebody", iat: now, exp: now + 600, ...claims };
      const kept = Object.fromEntries(
        Object.entries(all).filter(([, value]) => value !== undefined),
      );
      const protectedHeader = { alg, kid, typ: "at+jwt", ...header };
      // The library signs no extension that nobody says it knows.
      return new SignJWT(kept)
        .setProtectedHeader(protectedHeader)
        .sign(privateKey, { crit: { "urn:example:extension": true } });
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
