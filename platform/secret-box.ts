import type { SecretBox } from "#core/kernel/context.ts";

const VERSION = "v1";
const IV_BYTES = 12;

/** As many bytes as a call takes arguments without trouble. */
const PIECE_BYTES = 8_192;

function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (let start = 0; start < bytes.length; start += PIECE_BYTES)
    binary += String.fromCharCode(...bytes.subarray(start, start + PIECE_BYTES));
  return btoa(binary);
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index++) bytes[index] = binary.charCodeAt(index);
  return bytes;
}

/**
 * AES-256-GCM under MASTER_KEY. A sealed value is `v1.<iv>.<ciphertext>` in base64; its purpose is authenticated
 * with it, so that a value from one column does not open in another.
 * @param masterKey 32 bytes in base64
 */
export function createSecretBox(masterKey: string): SecretBox {
  const importKey = () =>
    crypto.subtle.importKey("raw", fromBase64(masterKey), "AES-GCM", false, ["encrypt", "decrypt"]);
  return {
    async seal(plain, purpose) {
      const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
      const parameters = { name: "AES-GCM", iv, additionalData: new TextEncoder().encode(purpose) };
      const sealed = await crypto.subtle.encrypt(
        parameters,
        await importKey(),
        new TextEncoder().encode(plain),
      );
      return `${VERSION}.${toBase64(iv)}.${toBase64(new Uint8Array(sealed))}`;
    },
    async open(sealed, purpose) {
      const [version, iv, ciphertext] = sealed.split(".");
      if (version !== VERSION || iv === undefined || ciphertext === undefined)
        throw new Error("Not a sealed value");
      const parameters = {
        name: "AES-GCM",
        iv: fromBase64(iv),
        additionalData: new TextEncoder().encode(purpose),
      };
      return new TextDecoder().decode(
        await crypto.subtle.decrypt(parameters, await importKey(), fromBase64(ciphertext)),
      );
    },
  };
}
