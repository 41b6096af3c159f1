import type { SecretBox } from "#core/kernel/context.ts";

const VERSION = "v1";
const IV_BYTES = 12;

const toBase64 = (bytes: Uint8Array) =>
  btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
const fromBase64 = (text: string) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));

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
