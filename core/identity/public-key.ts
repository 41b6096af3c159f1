/** What is kept of an issuer's public key; nothing private, and nothing symmetric. */
export interface PublicKey {
  kty: string;
  kid?: string | undefined;
  alg?: string | undefined;
  crv?: string | undefined;
  n?: string | undefined;
  e?: string | undefined;
  x?: string | undefined;
  y?: string | undefined;
}

const KEY_TYPES: Readonly<Record<string, string>> = { R: "RSA", P: "RSA", E: "EC" };
const CURVES: Readonly<Record<string, string>> = {
  ES256: "P-256",
  ES384: "P-384",
  ES512: "P-521",
  EdDSA: "Ed25519",
  Ed25519: "Ed25519",
};

/** Whether a key can have made a signature of this algorithm. */
function fits(key: PublicKey, alg: string): boolean {
  if (key.alg !== undefined && key.alg !== alg) return false;
  const type = alg.startsWith("Ed") ? "OKP" : KEY_TYPES[alg.charAt(0)];
  return key.kty === type && key.crv === CURVES[alg];
}

/**
 * The one key that a token's header names.
 * @param kid null where it names none: then there must be but one that fits
 */
export function keyFor(
  keys: readonly PublicKey[],
  kid: string | null,
  alg: string,
): PublicKey | null {
  const fitting = keys.filter((key) => fits(key, alg) && (kid === null || key.kid === kid));
  return fitting.length === 1 ? (fitting[0] ?? null) : null;
}
