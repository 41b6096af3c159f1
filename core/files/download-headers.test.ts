import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { contentDisposition, downloadHeaders } from "./download-headers.ts";

const facts = (contentType: string) => ({
  size: 1,
  contentType,
  etag: '"e"',
  storedAt: new Date("2026-11-21T10:00:00Z"),
});
const headers = (contentType: string, name = "file") => downloadHeaders(name, facts(contentType));

describe("a file's media type", () => {
  it.each(["text/plain", "text/csv; charset=utf-16", "application/json", "image/png"])(
    "%s is shown in place",
    (type) => {
      expect(headers(type)["content-disposition"]).toMatch(/^inline;/);
    },
  );

  it.each([
    "text/html",
    "TEXT/HTML; charset=utf-8",
    " text/html",
    "image/svg+xml",
    "application/xhtml+xml",
    "application/xml",
    "text/xml",
    "application/rss+xml",
    "text/javascript",
    "application/javascript",
    "application/ecmascript",
    "text/css",
    "multipart/x-mixed-replace",
    "message/rfc822",
    "",
    "text/html\r\nx-evil: 1",
    "text/plain\u0000",
    "nonsense",
  ])("%j leaves as bytes and is never shown", (type) => {
    const sent = headers(type);
    expect(sent["content-type"]).toBe("application/octet-stream");
    expect(sent["content-disposition"]).toMatch(/^attachment;/);
  });

  it("of a PDF or a spreadsheet stays, and is downloaded", () => {
    const sent = headers("application/pdf");
    expect(sent["content-type"]).toBe("application/pdf");
    expect(sent["content-disposition"]).toMatch(/^attachment;/);
  });

  it("comes with a sandbox and may not be guessed", () => {
    expect(headers("text/plain")["content-security-policy"]).toContain("sandbox");
    expect(headers("text/plain")["x-content-type-options"]).toBe("nosniff");
  });
});

describe("a file's name", () => {
  it("is told in ASCII and in full", () => {
    expect(contentDisposition("attachment", "گزارش 100%.pdf")).toBe(
      "attachment; filename=\"_____ 100_.pdf\"; filename*=UTF-8''%DA%AF%D8%B2%D8%A7%D8%B1%D8%B4%20100%25.pdf",
    );
  });

  it("never leaves its quotes nor its line, and comes back as it was", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 50 }), (name) => {
        const value = contentDisposition("attachment", name);
        const match =
          /^attachment; filename="([^"\\]*)"; filename\*=UTF-8''([\w!#$&+.^`|~%-]*)$/.exec(value);
        const plain = name.toWellFormed().replaceAll(/[/\\]/g, "_");
        return (
          match !== null &&
          /^[\x20-\x7e]*$/.test(value) &&
          decodeURIComponent(match[2] ?? "") === plain
        );
      }),
      { numRuns: 1_000 },
    );
  });
});
