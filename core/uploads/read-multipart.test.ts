import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { choppedSource } from "#test/tables/read-table.ts";
import { boundaryOf, fieldText, readMultipart } from "./read-multipart.ts";

const form = (parts: string[], boundary = "xYz") =>
  Buffer.from(`${parts.map((part) => `--${boundary}\r\n${part}\r\n`).join("")}--${boundary}--\r\n`);
const field = (name: string, value: string, more = "") =>
  `Content-Disposition: form-data; name="${name}"${more}\r\n\r\n${value}`;

async function read(
  bytes: Uint8Array,
  lengths: number[],
): Promise<[string, string | null, string][]> {
  const found: [string, string | null, string][] = [];
  const stream = await choppedSource(bytes, lengths).stream(0);
  for await (const part of readMultipart(stream, "xYz")) {
    found.push([part.name, part.fileName, await fieldText(part, 1_000_000)]);
  }
  return found;
}

describe("a form that comes in pieces", () => {
  it("gives each part as it was sent, wherever the pieces are cut", async () => {
    const value = fc
      .array(fc.constantFrom("a", "\r", "\n", "\r\n", "-", "--xY", "\r\n--xY", "é", "--"), {
        maxLength: 12,
      })
      .map((pieces) => pieces.join(""));
    await fc.assert(
      fc.asyncProperty(
        fc.array(value, { minLength: 1, maxLength: 4 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 3 }),
        async (values, lengths) => {
          const parts = values.map((text, index) => field(`f${index}`, text));
          expect(await read(form(parts), lengths)).toEqual(
            values.map((text, index) => [`f${index}`, null, text]),
          );
        },
      ),
    );
  });

  it("knows files by their names, whatever these hold", async () => {
    const file = field(
      "file",
      "a,b",
      '; filename="my \\"best\\" %22file%22.csv"\r\nContent-Type: text/csv',
    );
    expect(await read(form([file]), [5])).toEqual([["file", 'my "best" "file".csv', "a,b"]]);
  });

  it("goes on to the next part where a body is not read", async () => {
    const names: string[] = [];
    const stream = await choppedSource(
      form([field("a", "x".repeat(99)), field("b", "y")]),
      [7],
    ).stream(0);
    for await (const { name } of readMultipart(stream, "xYz")) names.push(name);
    expect(names).toEqual(["a", "b"]);
  });

  it("is refused where it is cut off or names no boundary", async () => {
    const whole = form([field("a", "value")]);
    for (const end of [3, 20, 50, whole.length - 5]) {
      await expect(read(whole.subarray(0, end), [9])).rejects.toMatchObject({
        code: "invalid_request",
      });
    }
    expect(() => boundaryOf("multipart/form-data")).toThrow("boundary");
    expect(boundaryOf('multipart/form-data; boundary="a b"')).toBe("a b");
  });
});
