import { describe, expect, test } from "vitest";
import {
  listedContent,
  messageContent,
  pictureBytes,
  withoutPictures,
  type MessageContent,
} from "./message-content.ts";

const inline = "data:image/jpeg;base64,AAECAwQ=";
const address = "https://example.com/cat.jpg";
const mixed: MessageContent = [
  { type: "text", text: "Look" },
  { type: "image_url", image_url: { url: inline } },
  { type: "image_url", image_url: { url: address } },
];
const accepts = (content: unknown) => messageContent.safeParse(content).success;
const picture = (url: string) => [{ type: "image_url", image_url: { url } }];

describe("a message", () => {
  test("is a text, or parts of text and pictures", () => {
    expect(accepts("Hello\nthere\t👋🏽")).toBe(true);
    expect(accepts(mixed)).toBe(true);
    expect(accepts(picture(inline))).toBe(true);
  });

  test.each([
    ["nothing", ""],
    ["blanks", " \n\t"],
    ["no parts", []],
    ["parts that say nothing", [{ type: "text", text: " " }]],
    ["a NUL", "a\u0000b"],
    ["half a surrogate pair in a part", [{ type: "text", text: "\udc00" }]],
    ["a part of another kind", [{ type: "input_audio", input_audio: {} }]],
    ["a field that nobody knows", [{ type: "text", text: "a", cache_control: {} }]],
    ["over 100 parts", Array(101).fill({ type: "text", text: "a" })],
    ["a number", 5],
  ])("is not %s", (_, content) => {
    expect(accepts(content)).toBe(false);
  });

  test.each([
    "http://example.com/cat.jpg",
    "https://localhost/cat.jpg",
    "https://127.1/cat.jpg",
    "https://[::1]/cat.jpg",
    "https://metadata.google.internal/x",
    "https://user@example.com/cat.jpg",
    `https://example.com/${"x".repeat(5_000)}`,
    "ftp://example.com/cat.jpg",
    "data:image/svg+xml;base64,PHN2Zz4=",
    "data:image/png;base64,not base64!",
    "data:image/png,raw",
    "javascript:alert(1)",
    "",
  ])("takes no picture from %s", (url) => {
    expect(accepts(picture(url))).toBe(false);
  });

  test("is judged in time linear in its length, whatever stands in it", () => {
    const started = performance.now();
    expect(accepts(picture(`data:image/png;base64,${"A".repeat(9_000_000)}!`))).toBe(false);
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});

test("only inline pictures have bytes, and only they are left out", () => {
  expect(pictureBytes("text")).toBe(0);
  expect(pictureBytes(mixed)).toBe(inline.length);
  const without = withoutPictures(mixed);
  expect(pictureBytes(without)).toBe(0);
  expect(JSON.stringify(without)).toContain(address);
  expect(JSON.stringify(without)).not.toContain(inline);
  expect(withoutPictures("text")).toBe("text");
});

test("a list tells of an inline picture without repeating it", () => {
  expect(listedContent("text")).toBe("text");
  expect(listedContent(mixed)).toEqual([
    { type: "text", text: "Look" },
    { type: "image_url", image_url: { url: null, media_type: "image/jpeg", bytes: 5 } },
    { type: "image_url", image_url: { url: address } },
  ]);
});
