import type { FileFacts } from "./file-store.ts";

/** What a browser may show by itself without anything in it being run. Even these are shown in a sandbox. */
const SHOWN = new Set([
  "application/json",
  "image/avif",
  "image/gif",
  "image/jpeg",
  "image/png",
  "image/webp",
  "text/csv",
  "text/plain",
]);

/** What can hold scripts, or is one: it leaves as bytes, whatever it calls itself. */
const ACTIVE =
  /^(text\/(html|css|xml|xsl|cache-manifest|.*script)|image\/svg.*|application\/(.*xml|.*script|wasm|x-shockwave-flash|manifest.*)|.*\+xml|multipart\/.*|message\/.*)$/;

/** A media type as RFC 9110 writes it, without what a header must not hold. */
const MEDIA_TYPE = /^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/;

/**
 * Headers under which a file that somebody made can be given from our own origin: nothing in it runs there, and only
 * plain text and pictures are shown in place.
 */
export function downloadHeaders(name: string, facts: FileFacts): Record<string, string> {
  const type = mediaType(facts.contentType);
  const active = type === null || ACTIVE.test(type);
  const shown = type !== null && SHOWN.has(type);
  return {
    "content-type": active
      ? "application/octet-stream"
      : type.startsWith("text/")
        ? `${type}; charset=utf-8`
        : type,
    "content-disposition": contentDisposition(shown ? "inline" : "attachment", name),
    "content-security-policy":
      "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "cross-origin",
    "referrer-policy": "no-referrer",
    "accept-ranges": "bytes",
    "cache-control": "private, no-cache",
    etag: facts.etag,
    "last-modified": facts.storedAt.toUTCString(),
  };
}

/** Without parameters; null where it is none. */
function mediaType(text: string): string | null {
  const type = (text.split(";")[0] ?? "").trim().toLowerCase();
  return MEDIA_TYPE.test(type) ? type : null;
}

/**
 * RFC 6266: the name as RFC 8187 (once RFC 5987) encodes it, and one in ASCII for those who do not know that. Neither
 * can leave its quotes, nor name another folder.
 */
export function contentDisposition(kind: "inline" | "attachment", name: string): string {
  const plain = name.toWellFormed().replaceAll(/[/\\]/g, "_");
  const ascii = plain.replaceAll(/[^\x20-\x7e]|["%]/g, "_");
  const encoded = encodeURIComponent(plain).replaceAll(
    /['()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${kind}; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}
