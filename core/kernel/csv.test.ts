import fc from "fast-check";
import { expect, it } from "vitest";
import { csvLine } from "./csv.ts";

/** Reads one line as RFC 4180 says. */
function parse(line: string): string[] {
  const cells: string[] = [];
  const pattern = /("(?:[^"]|"")*"|[^,"\r\n]*)(,|\r\n$)/gy;
  for (const [, cell = ""] of line.matchAll(pattern))
    cells.push(cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell);
  return cells;
}

it("writes lines that RFC 4180 reads back, whatever the texts hold", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary" }), { minLength: 1 }), (cells) => {
      const read = parse(csvLine(cells));
      expect(read.map((cell) => cell.replace(/^'/, ""))).toEqual(
        cells.map((cell) => cell.replace(/^'/, "")),
      );
    }),
  );
});

it.each(["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://evil","x")', "＝1"])(
  "keeps a spreadsheet from running %j",
  (text) => expect(parse(csvLine([text]))).toEqual([`'${text}`]),
);

it("leaves numbers, booleans and nothing as they are", () => {
  expect(csvLine([-5, 0.25, true, null, "0.000007"])).toBe("-5,0.25,true,,0.000007\r\n");
});
