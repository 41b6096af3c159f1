import type { LinkSigner } from "#core/jobs/results/result-link.ts";

/** Keeps this key apart from every other use of MASTER_KEY. Another version would end all links. */
const PURPOSE = "switchyard signed links v1";

/**
 * HMAC-SHA-256 under a key that HKDF makes of MASTER_KEY.
 * @param masterKey 32 bytes in base64
 */
export function createLinkSigner(masterKey: string): LinkSigner {
  const encoder = new TextEncoder();
  const key = async () => {
    const secret = Uint8Array.from(atob(masterKey), (char) => char.charCodeAt(0));
    const base = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveKey"]);
    const hkdf = {
      name: "HKDF",
      hash: "SHA-256",
      salt: new Uint8Array(0),
      info: encoder.encode(PURPOSE),
    };
    const hmac = { name: "HMAC", hash: "SHA-256", length: 256 };
    return crypto.subtle.deriveKey(hkdf, base, hmac, false, ["sign", "verify"]);
  };
  return {
    async sign(text) {
      const signature = await crypto.subtle.sign("HMAC", await key(), encoder.encode(text));
      return toBase64Url(new Uint8Array(signature));
    },
    async verify(text, signature) {
      const bytes = fromBase64Url(signature);
      // WebCrypto compares in constant time.
      return (
        bytes !== null && crypto.subtle.verify("HMAC", await key(), bytes, encoder.encode(text))
      );
    },
  };
}

function toBase64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}

/** A signature is 32 bytes, and has one spelling only: 43 signs, of which the last holds four bits. */
function fromBase64Url(text: string): Uint8Array<ArrayBuffer> | null {
  if (!/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/.test(text)) return null;
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (char) => char.charCodeAt(0));
}
