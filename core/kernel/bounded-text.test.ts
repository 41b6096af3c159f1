import { expect, it } from "vitest";
import { boundedText } from "./bounded-text.ts";

const cut = (text: string, size: number) => {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.subarray(at, (at += size)));
    },
  });
};

it("reads a text wherever its bytes are cut", async () => {
  for (const size of [1, 2, 3, 100])
    expect(await boundedText(new Response(cut("گزارش 🚗 ok", size)), 100)).toBe("گزارش 🚗 ok");
  expect(await boundedText(new Response(null), 0)).toBe("");
});

it("takes as many bytes as it may have and not one more, and reads no further", async () => {
  expect(await boundedText(new Response(cut("12345", 2)), 5)).toBe("12345");
  let given = 0;
  let cancelled = false;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      given += 1;
      controller.enqueue(new Uint8Array(10));
    },
    cancel: () => void (cancelled = true),
  });
  expect(await boundedText(new Response(endless), 95)).toBeNull();
  expect(cancelled).toBe(true);
  expect(given).toBeLessThan(15);
});

it("does not believe the length of what is compressed, nor one over the limit", async () => {
  const headers = { "content-encoding": "gzip", "content-length": "1" };
  expect(await boundedText(new Response(cut("12345678", 4), { headers }), 5)).toBeNull();
  const long = { "content-length": "8" };
  expect(await boundedText(new Response(cut("12345678", 4), { headers: long }), 5)).toBeNull();
});
