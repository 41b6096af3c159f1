import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { choppedSource, readTable } from "#test/tables/read-table.ts";
import { writeCsv, type CsvManner } from "#test/tables/write-csv.ts";
import { openTable } from "./table.ts";
import { bytesSource } from "./byte-source.ts";

const text = (value: string) => Buffer.from(value, "utf-8");
const manner = (over: Partial<CsvManner> = {}): CsvManner => ({
  delimiter: ",",
  lineEnd: "\n",
  encoding: "utf-8",
  quoteAll: false,
  lastLineEnd: true,
  ...over,
});

const anyManner = fc.record<CsvManner>({
  delimiter: fc.constantFrom(",", ";", "\t", "|"),
  lineEnd: fc.constantFrom("\n", "\r\n", "\r"),
  encoding: fc.constantFrom("utf-8", "utf-8-mark", "utf-16le", "utf-16be"),
  quoteAll: fc.boolean(),
  lastLineEnd: fc.boolean(),
});
/** A line end of another kind than the file's would be one to the reader too: it goes by the file's. */
const anyCell = (lineEnd: string) =>
  fc
    .array(
      fc.constantFrom(
        "a",
        "Ω",
        "€",
        "日本",
        "😀",
        '"',
        ",",
        ";",
        "\t",
        "|",
        " ",
        "0",
        lineEnd,
        "=SUM",
      ),
      { maxLength: 8 },
    )
    .map((parts) => parts.join(""));
/** Wide enough, and with a header, so that the delimiter can be told. */
const anyTable = anyManner.chain((how) =>
  fc.integer({ min: 2, max: 5 }).chain((width) =>
    fc.record({
      manner: fc.constant(how),
      rows: fc
        .array(fc.array(anyCell(how.lineEnd), { minLength: width, maxLength: width }), {
          maxLength: 20,
        })
        .map((rows) => [
          ...Array.from({ length: 25 }, (_, index) =>
            Array.from({ length: width }, (_none, column) => `name ${index} ${column}`),
          ),
          ...rows,
        ]),
      lengths: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 4 }),
    }),
  ),
);

describe("a CSV file", () => {
  it("comes back as it was written, whatever its manner and wherever its bytes are cut", async () => {
    await fc.assert(
      fc.asyncProperty(anyTable, async ({ rows, manner: how, lengths }) => {
        const read = await readTable(choppedSource(writeCsv(rows, how), lengths));
        expect(read.rows).toEqual(rows);
        expect(read.broken).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it("goes on from every position it names, in any encoding, as if it had never stopped", async () => {
    for (const encoding of ["utf-8", "utf-16le", "utf-16be", "windows-1252"] as const) {
      const rows = Array.from({ length: 9_000 }, (_, index) => [
        `café ${index}`,
        index % 7 === 0 ? 'two\r\n"lines" €' : "plain",
        "x".repeat(index % 40),
      ]);
      const bytes = writeCsv(rows, manner({ encoding, lineEnd: "\r\n" }));
      const whole = await readTable(bytes, { batchBytes: 65_536 });
      expect(whole.rows).toEqual(rows);
      expect(whole.batches.length).toBeGreaterThan(3);
      let done = 0;
      for (const batch of whole.batches) {
        done += batch.rows.length;
        const position = JSON.parse(JSON.stringify(batch.position));
        const rest = await readTable(bytes, { from: position });
        expect(rest.rows).toEqual(rows.slice(done));
        expect(rest.lines).toEqual(whole.lines.slice(done));
      }
    }
  });

  it("says the line on which a row begins, quoted line ends and empty lines counted", async () => {
    const read = await readTable(text('a,b\n\n"one\ntwo",2\r\n\r\nlast,3'));
    expect(read.rows).toEqual([
      ["a", "b"],
      ["one\ntwo", "2"],
      ["last", "3"],
    ]);
    expect(read.lines).toEqual([1, 3, 6]);
  });

  it("takes quotation marks within a field, and text behind them, as they are", async () => {
    const read = await readTable(text('name,size\nScreen 24" wide,1\n"a"b,2\n"",3\n'));
    expect(read.rows.slice(1)).toEqual([
      ['Screen 24" wide', "1"],
      ["ab", "2"],
      ["", "3"],
    ]);
  });

  it("sets aside the line whose quotation mark nothing closes, and no other", async () => {
    const many = Array.from(
      { length: 60_000 },
      (_, index) => `row ${index},${index} and more text`,
    );
    const lines = ["a,b", "1,2", '"never closed,3', ...many];
    const whole = await readTable(text(lines.join("\n")));
    expect(whole.broken).toEqual([3]);
    expect(whole.rows.length).toBe(lines.length - 1);
    expect(whole.rows.at(-1)).toEqual(["row 59999", "59999 and more text"]);
    const short = await readTable(text('a,b\n"open,1\nx,2\n'));
    expect([short.broken, short.rows]).toEqual([
      [2],
      [
        ["a", "b"],
        ["x", "2"],
      ],
    ]);
  });

  it("reads Windows-1252 where UTF-8 fails, also when the first such byte comes late", async () => {
    const rows = [
      ...Array.from({ length: 20_000 }, (_, index) => ["plain", String(index)]),
      ["Müller & Söhne €", "1"],
    ];
    const read = await readTable(writeCsv(rows, manner({ encoding: "windows-1252" })));
    expect(read.rows.at(-1)).toEqual(["Müller & Söhne €", "1"]);
  });

  it("stays with UTF-8 when an export cut one text in the middle of a character", async () => {
    const bytes = Buffer.concat([
      text("name,n\nÄpfel,1\nÖl und Essig,2\ncut "),
      Buffer.from([0xc3]),
      text(",3\n"),
    ]);
    const read = await readTable(bytes);
    expect(read.rows.slice(1)).toEqual([
      ["Äpfel", "1"],
      ["Öl und Essig", "2"],
      ["cut \ufffd", "3"],
    ]);
  });

  it("knows UTF-16 without a mark, and a line that names the separator", async () => {
    const bare = Buffer.from("Day\tClicks\n2026-11-01\t5\n", "utf16le");
    expect((await readTable(bare)).rows).toEqual([
      ["Day", "Clicks"],
      ["2026-11-01", "5"],
    ]);
    const named = await readTable(text("sep=;\r\na,1;b\r\nc,2;d\r\n"));
    expect([named.rows, named.lines]).toEqual([
      [
        ["a,1", "b"],
        ["c,2", "d"],
      ],
      [2, 3],
    ]);
  });

  it.each([
    [";", "Tag;Kosten;Klicks\n01.02.2026;1,50;10\n02.02.2026;1,75;11\n"],
    [",", "Day,Campaign,Cost\n2026-01-01,brand|de|search|x,1\n2026-01-02,brand|de|search|y,2\n"],
    ["\t", "Day\tCampaign\tCost\n2026-01-01\ta, b, c\t1\n2026-01-02\td, e, f\t2\n"],
    ["|", "Day|Cost\n2026-01-01|1,5\n2026-01-02|2,5\n"],
    [
      ",",
      'Report: all; days\nNov 1, 2026\n"Day","Campaign","Cost"\n"1","a;b;c","1,5"\n"2","a;b;c","2,5"\n',
    ],
    [",", "1HGCM82633A004352\n2HGES16575H591000\n"],
  ])("tells by itself that cells are separated by %j", async (delimiter, file) => {
    expect((await openTable(bytesSource(text(file)))).delimiter).toBe(delimiter);
  });

  it("refuses what is no table, and says what to do", async () => {
    const refused = (bytes: Uint8Array) => readTable(bytes).catch((error: Error) => error);
    expect(await refused(Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 1, 2]))).toMatchObject({
      code: "unsupported_media_type",
    });
    expect(await refused(text("%PDF-1.7"))).toMatchObject({ code: "unsupported_media_type" });
    expect(await refused(Buffer.from("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "latin1"))).toMatchObject({
      code: "unsupported_media_type",
    });
    expect(await refused(Buffer.alloc(6 * 1_048_576, "x"))).toMatchObject({
      code: "validation_failed",
      message: expect.stringContaining("Line 1 has no end"),
    });
  });

  it("gives nothing for an empty file", async () => {
    expect((await readTable(new Uint8Array())).rows).toEqual([]);
    expect((await readTable(Buffer.from([0xef, 0xbb, 0xbf]))).rows).toEqual([]);
  });

  it("sets aside a row of more columns than a table may have", async () => {
    const read = await readTable(text(`a,b\n${",".repeat(5_000)}\nc,d\n`));
    expect([read.rows, read.broken]).toEqual([
      [
        ["a", "b"],
        ["c", "d"],
      ],
      [2],
    ]);
  });
});
