import { writeXlsx } from "hucre/xlsx";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { choppedSource, readTable } from "#test/tables/read-table.ts";
import { sheetWorkbook, workbookParts } from "#test/tables/write-workbook.ts";
import { writeZip } from "#test/tables/write-zip.ts";
import { openTable } from "./table.ts";
import { bytesSource } from "./byte-source.ts";

const refusal = (bytes: Uint8Array) => readTable(bytes).catch((error: Error) => error);
const DATES = `<styleSheet><numFmts><numFmt numFmtId="170" formatCode="[$-409]d/mm/yyyy;@"/><numFmt numFmtId="171" formatCode="0.0&quot;days&quot;"/><numFmt numFmtId="172" formatCode="[h]:mm"/></numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="170"/><xf numFmtId="171"/><xf numFmtId="172"/></cellXfs></styleSheet>`;

const anyText = fc
  .array(fc.constantFrom("a", "Ω", "€", "日本", "😀", "<", ">", "&", '"', "'", " x ", "\n", "0"), {
    minLength: 1,
    maxLength: 6,
  })
  .map((parts) => parts.join(""));
const anyCell = fc.oneof(
  anyText,
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value)),
  fc.integer(),
  fc.boolean(),
  fc
    .integer({ min: 1, max: 40_000 })
    .map((day) => new Date(Date.UTC(1900, 2, 1) + day * 86_400_000)),
);

describe("a workbook", () => {
  it("comes back as another library wrote it, wherever its bytes are cut", async () => {
    const table = fc.array(fc.array(anyCell, { minLength: 1, maxLength: 5 }), {
      minLength: 1,
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(
        table,
        fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 3 }),
        async (rows, lengths) => {
          const bytes = await writeXlsx({ sheets: [{ name: "Data", rows }] });
          expect((await readTable(choppedSource(bytes, lengths))).rows).toEqual(rows);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("goes on from every position it names, over several sheets", async () => {
    const sheet = (name: string) => ({
      name,
      rows: Array.from({ length: 9_000 }, (_, index) => [`${name} ${index}`, index, "some text"]),
    });
    const bytes = await writeXlsx({ sheets: [sheet("One"), sheet("Two")] });
    const whole = await readTable(bytes, { batchBytes: 65_536 });
    expect(whole.rows.length).toBe(18_000);
    expect(new Set(whole.batches.map((batch) => batch.sheet))).toEqual(new Set(["One", "Two"]));
    let done = 0;
    for (const batch of whole.batches) {
      done += batch.rows.length;
      const rest = await readTable(bytes, { from: batch.position });
      expect(rest.rows).toEqual(whole.rows.slice(done));
      expect(rest.lines).toEqual(whole.lines.slice(done));
    }
  });

  it("reads every kind of cell, and leaves no hole where one is missing", async () => {
    const bytes = sheetWorkbook(
      `<row r="2"><c r="B2" t="s"><v>1</v></c><c r="D2" t="inlineStr"><is><r><t>rich </t></r><r><t xml:space="preserve">te&#x78;t</t></r><rPh><t>no</t></rPh></is></c><c t="b"><v>1</v></c><c t="e"><v>#N/A</v></c><c t="str"><f>A1&amp;"x"</f><v>of a formula</v></c><c t="d"><v>2026-11-21T00:00:00</v></c></row>
       <row><c><v>12.5</v></c><c/><c t="s"><v>99</v></c></row><row/><row r="9"><c r="A9"><v>1E3</v></c></row>`,
      { sharedStrings: `<sst><si><t>zero</t></si><si><t>one &lt;&amp;_x0041_</t></si></sst>` },
    );
    const read = await readTable(bytes);
    expect(read.rows).toEqual([
      ["", "one <&A", "", "rich text", true, "#N/A", "of a formula", new Date("2026-11-21")],
      [12.5],
      [1000],
    ]);
    expect(read.lines).toEqual([2, 3, 9]);
  });

  it("reads a cell the same, written as nearly all programs write it or as hardly any does", async () => {
    const anyNumber = fc.record({
      place: fc.constantFrom("A", "B", "F", "AB"),
      style: fc.constantFrom("", ' s="0"', ' s="1"', ' s="77"', ' s=""'),
      type: fc.constantFrom("", ' t="n"', ' t="s"', ' t="b"'),
      raw: fc.constantFrom("", "0", "1", "45000", "-1.5", "1E3", " 7 ", "no number", "&#49;"),
    });
    const row = fc.array(anyNumber, { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 20 }), async (rows) => {
        const read = async (
          cell: (parts: { r: string; s: string; t: string; v: string }) => string,
        ) => {
          const xml = rows.map((cells, index) => {
            const all = cells.map(({ place, style, type, raw }) =>
              cell({ r: ` r="${place}${index + 1}"`, s: style, t: type, v: raw }),
            );
            return `<row>${all.join("")}<c><v>${index}</v></c></row>`;
          });
          const sharedStrings = "<sst><si><t>zero</t></si><si><t>one</t></si></sst>";
          const bytes = sheetWorkbook(xml.join(""), { styles: DATES, sharedStrings });
          return (await readTable(choppedSource(bytes, [3, 1]), { batchBytes: 65_536 })).rows;
        };
        const usual = await read(({ r, s, t, v }) => `<c${r}${s}${t}><v>${v}</v></c>`);
        const odd = await read(({ r, s, t, v }) => `<x:c${t}${s}${r} ><x:v>${v}</x:v></x:c >`);
        expect(usual).toEqual(odd);
      }),
      { numRuns: 150 },
    );
  });

  it("tells days by their styles, in both calendars, and leaves times and other numbers alone", async () => {
    const cells = `<row><c s="1"><v>45000</v></c><c s="2"><v>45000.5</v></c><c s="3"><v>45000</v></c><c s="4"><v>0.5</v></c><c s="0"><v>45000</v></c><c s="1"><v>59</v></c></row>`;
    const day = (iso: string) => new Date(`${iso}Z`);
    expect((await readTable(sheetWorkbook(cells, { styles: DATES }))).rows).toEqual([
      [
        day("2023-03-15T00:00:00"),
        day("2023-03-15T12:00:00"),
        45000,
        0.5,
        45000,
        day("1900-02-28T00:00:00"),
      ],
    ]);
    const later = await readTable(sheetWorkbook(cells, { styles: DATES, since1904: true }));
    expect(later.rows[0]?.[0]).toEqual(day("2027-03-16T00:00:00"));
  });

  it("reads the sheets that are shown, or the one that is asked for", async () => {
    const sheet = (name: string, state?: string) => ({
      name,
      ...(state === undefined ? {} : { state }),
      xml: `<x:worksheet xmlns:x="s"><x:sheetData><x:row><x:c t="str"><x:v>${name}</x:v></x:c></x:row></x:sheetData></x:worksheet>`,
    });
    const bytes = writeZip(
      workbookParts({ sheets: [sheet("A"), sheet("B", "hidden"), sheet("C")] }),
      { zip64: true, comment: "made by hand" },
    );
    expect((await readTable(bytes)).rows).toEqual([["A"], ["C"]]);
    expect((await openTable(bytesSource(bytes), { sheet: "C" })).sheets).toEqual(["C"]);
    await expect(openTable(bytesSource(bytes), { sheet: "B" })).rejects.toMatchObject({
      code: "validation_failed",
      message: expect.stringContaining("“A”, “C”"),
    });
  });

  it("finds its parts in an archive whose sizes stand in ZIP64 fields, or that packs nothing", async () => {
    const parts = workbookParts({
      sheets: [
        {
          name: "S",
          xml: "<worksheet><sheetData><row><c><v>7</v></c></row></sheetData></worksheet>",
        },
      ],
    });
    for (const how of [{ zip64: true }, { stored: true }, { zip64: true, stored: true }]) {
      expect((await readTable(writeZip(parts.map((part) => ({ ...part, ...how }))))).rows).toEqual([
        [7],
      ]);
    }
  });
});

describe("a hostile workbook", () => {
  const parts = (xml: string) => workbookParts({ sheets: [{ name: "S", xml }] });

  it("cannot unpack to far more than it is", async () => {
    const bomb = `<worksheet><sheetData>${" ".repeat(120 * 1_048_576)}</sheetData></worksheet>`;
    expect(await refusal(writeZip(parts(bomb)))).toMatchObject({
      code: "validation_failed",
      message: expect.stringContaining("more than it may"),
    });
  });

  it("cannot make rows of endless columns, texts or tags", async () => {
    const wide = await readTable(
      sheetWorkbook(`<row><c r="ZZZZZZ1"><v>1</v></c></row><row><c><v>2</v></c></row>`),
    );
    expect([wide.rows, wide.broken]).toEqual([[[2]], [1]]);
    const long = "x".repeat(5 * 1_048_576);
    expect(await refusal(sheetWorkbook(`<row><c t="str"><v>${long}</v></c></row>`))).toMatchObject({
      code: "validation_failed",
    });
    expect(await refusal(sheetWorkbook(`<row ${long}`))).toMatchObject({
      code: "validation_failed",
    });
  });

  it("cannot bring entities of its own", async () => {
    const xml = `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]><worksheet><sheetData><row><c t="str"><v>&a;</v></c></row></sheetData></worksheet>`;
    expect(await refusal(writeZip(parts(xml)))).toMatchObject({ code: "validation_failed" });
  });

  it("is refused for a password, another packing, a cut, and places outside of it", async () => {
    const good = parts("<worksheet/>");
    const with_ = (over: object) => writeZip(good.map((part) => ({ ...part, ...over })));
    const whole = writeZip(good);
    for (const bytes of [
      with_({ flags: 1 }),
      with_({ method: 12 }),
      with_({ compressedSize: 9_999_999 }),
      whole.subarray(0, whole.length - 30),
      writeZip([{ name: "notes.txt", content: "no workbook" }]),
      writeZip([{ name: "xl/workbook.bin", content: "old" }]),
    ]) {
      expect(await refusal(bytes)).toMatchObject({ code: "validation_failed" });
    }
  });

  it("is read or refused, and never breaks the reader, whatever bytes are changed", async () => {
    const bytes = await writeXlsx({
      sheets: [
        {
          name: "Data",
          rows: [
            ["Day", "Clicks"],
            [new Date("2026-11-01"), 5],
            ["text", 6],
          ],
        },
      ],
    });
    const change = fc.record({
      at: fc.nat(bytes.length - 1),
      value: fc.integer({ min: 0, max: 255 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 12 }), async (changes) => {
        const damaged = Buffer.from(bytes);
        for (const { at, value } of changes) damaged[at] = value;
        const result = await refusal(damaged);
        if (result instanceof Error) {
          expect(["validation_failed", "unsupported_media_type"]).toContain(
            Reflect.get(result, "code"),
          );
        }
      }),
      { numRuns: 400 },
    );
  });
});
