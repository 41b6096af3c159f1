import { boundedText } from "../kernel/bounded-text.ts";
import { z } from "zod";
import { issuerAddressFault } from "./oidc-issuer.ts";
import type { PublicKey } from "./public-key.ts";

export interface IssuerReach {
  fetch(url: string, init: RequestInit): Promise<Response>;
  /** Development only: issuers on this machine, and http. */
  allowPrivate: boolean;
}

/** The longest that a question to an issuer takes; there are two of them. */
const TIMEOUT_MS = 5_000;
const BODY_LIMIT = 256 * 1024;
const KEYS_LIMIT = 100;

const discovery = z.object({ issuer: z.string(), jwks_uri: z.url().max(2000) });

const text = z.string().max(5000).optional();
const publicKey = z.object({
  kty: z.enum(["RSA", "EC", "OKP"]),
  use: text,
  key_ops: z.array(z.string()).optional(),
  kid: text,
  alg: text,
  crv: text,
  n: text,
  e: text,
  x: text,
  y: text,
});
const keySet = z.object({ keys: z.array(z.unknown()).max(KEYS_LIMIT) });

/**
 * Asks an issuer for its public keys, by its discovery document (OpenID Connect Discovery 1.0, section 4).
 * @throws Error with a sentence for the log
 */
export async function fetchIssuerKeys(issuer: string, reach: IssuerReach): Promise<PublicKey[]> {
  const address = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const document = discovery.parse(await fetchJson(address, reach));
  // Else whoever can answer under an address could speak for another issuer.
  if (document.issuer !== issuer)
    throw new Error(`The discovery document of ${issuer} is that of ${document.issuer}`);
  const { keys } = keySet.parse(await fetchJson(document.jwks_uri, reach));
  return keys.flatMap((key) => {
    const parsed = publicKey.safeParse(key); // of kinds that are not for signing, or of the future: left out
    return parsed.success ? signingKey(parsed.data) : [];
  });
}

function signingKey({ use, key_ops, ...key }: z.output<typeof publicKey>): PublicKey[] {
  if (use !== undefined && use !== "sig") return [];
  return key_ops === undefined || key_ops.includes("verify") ? [key] : [];
}

async function fetchJson(address: string, reach: IssuerReach): Promise<unknown> {
  const fault = issuerAddressFault(address, reach.allowPrivate);
  if (fault !== null) throw new Error(`${address} ${fault}`);
  const response = await reach.fetch(address, {
    headers: { accept: "application/json" },
    redirect: "manual", // where it leads to has not been judged
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`${address} answered ${response.status}`);
  }
  const text = await boundedText(response, BODY_LIMIT);
  if (text === null) throw new Error(`${address} answered with more than ${BODY_LIMIT} bytes`);
  return JSON.parse(text);
}
