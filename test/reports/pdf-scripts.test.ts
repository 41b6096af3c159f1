import { extractText, getDocumentProxy } from "unpdf";
import { describe, expect, it } from "vitest";
import type { FontFileReader } from "#core/reports/pdf/font-files.ts";
import { writePdf, type WrittenPdf } from "#core/reports/pdf/write-pdf.ts";
import type { Report, ReportLanguage } from "#core/reports/report.ts";
import { exampleReport } from "./example-report.ts";
import { newReportFonts, readFontFiles } from "./report-fonts.ts";

/** A name each as campaigns have them, and what a program that reads the PDF must find of it. */
const NAMES: Record<string, readonly [name: string, found: string]> = {
  emoji: ["🎉 Summer Sale 🔥🚀", "🎉"],
  Russian: ["Летняя распродажа – Москва 2026", "Летняя распродажа"],
  Greek: ["Θερινές εκπτώσεις", "Θερινές εκπτώσεις"],
  Vietnamese: ["Giảm giá đặc biệt", "Giảm giá đặc biệt"],
  Hebrew: ["מבצע קיץ", "מבצע"],
  Arabic: ["حملة الصيف", "حملة"],
  Thai: ["ฤดูร้อน", "ฤดู"],
  Hindi: ["दिल्ली सेल", "सेल"],
  Bengali: ["ঢাকা", "ঢাকা"],
  Tamil: ["சலுகை", "சலு"],
  Armenian: ["Ամառային զեղչ", "Ամառային"],
  Georgian: ["ზაფხულის აქცია", "ზაფხულის"],
  Chinese: ["双十一大促销活动", "双十一大促销活动"],
  "traditional Chinese": ["臺灣廣東話", "臺灣廣東話"],
  Japanese: ["夏のセール・東京", "夏のセール"],
  Korean: ["여름 세일 서울", "여름 세일"],
  signs: ["→ ★ Best ✓ ● ①", "★"],
};

function reportOf(names: readonly string[], language: ReportLanguage = "en"): Report {
  const report = exampleReport({ language, campaigns: names.length });
  report.movements = []; // their title has an arrow
  for (const [index, row] of report.tables.byCampaign.rows.entries()) row[0] = names[index] ?? "";
  return report;
}

async function textOf({ bytes }: WrittenPdf): Promise<string> {
  const { text } = await extractText(await getDocumentProxy(new Uint8Array(bytes)));
  return text.join("\n").normalize("NFKC");
}

/** Remembers what was read. */
function watched(read: FontFileReader): { read: FontFileReader; names: string[] } {
  const names: string[] = [];
  return {
    names,
    read: (wanted) => {
      names.push(...wanted);
      return read(wanted);
    },
  };
}

const write = (report: Report, read: FontFileReader = readFontFiles, fonts = newReportFonts()) =>
  writePdf(report, { fonts, read });

describe("a PDF with names in many scripts", () => {
  it.each(["en", "fa"] as const)("draws each of them, in a report in %s", async (language) => {
    const names = Object.values(NAMES).map(([name]) => name);
    const written = await write(reportOf(names, language));
    expect(written.missing).toEqual([]);
    const text = await textOf(written);
    expect(text).not.toContain("\ufffd");
    for (const [script, [, found]] of Object.entries(NAMES))
      expect(text, script).toContain(found.normalize("NFKC"));
  });

  it("draws them in titles, charts and sentences too", async () => {
    const report = exampleReport();
    report.cover.title = "双十一 🚀 Летняя";
    report.cover.team = "서울 🎉";
    report.charts[1]?.categories.splice(0, 1, "Москва");
    report.summary = ["漢字".repeat(200)];
    const written = await write(report);
    expect(written.missing).toEqual([]);
    const text = await textOf(written);
    for (const found of ["双十一", "Летняя", "서울", "Москва"]) expect(text).toContain(found);
    expect(text.match(/漢/g)).toHaveLength(200);
  });

  it("shows a sign for what no font has, and says what that is", async () => {
    const written = await write(reportOf(["\u{10ffff} Sale", "አማርኛ", "a\ud800b"]));
    expect(written.missing).toEqual(["\u{10ffff}", "አ", "ማ", "ር", "ኛ", "\ud800"]);
    const text = await textOf(written);
    expect(text).toContain("\ufffd Sale");
    expect(text).toContain("\ufffd\ufffd\ufffd\ufffd");
  });
});

describe("the fonts that a PDF reads", () => {
  it("are none for Latin and Persian", async () => {
    const { read, names } = watched(readFontFiles);
    await write(reportOf(["Search – Brand", "کمپین نوروز ۱۴۰۵"], "fa"), read);
    expect(names).toEqual([]);
  });

  it("are those that its letters need, and each is read once", async () => {
    const { read, names } = watched(readFontFiles);
    const fonts = newReportFonts();
    const report = reportOf(["Москва", "🚀 Start"]);
    await write(report, read, fonts);
    expect(names.toSorted()).toEqual([
      "block-0.json",
      "block-1f.json",
      expect.stringMatching(/^noto-emoji-\d-400\.ttf$/),
      "roboto-cyrillic-400.ttf",
    ]);
    names.length = 0;
    await write(report, read, fonts);
    expect(names).toEqual([]);
  });

  it("have bold letters where a title has them", async () => {
    const { read, names } = watched(readFontFiles);
    const report = reportOf(["Sale"]);
    report.cover.title = "Москва";
    await write(report, read);
    expect(names).toContain("roboto-cyrillic-700.ttf");
  });

  it("give Chinese characters the forms of the language that stands beside them", async () => {
    for (const [name, family] of [
      ["東京のセール", "noto-sans-jp"],
      ["東京 促销", "noto-sans-sc"],
    ] as const) {
      const { read, names } = watched(readFontFiles);
      await write(reportOf([name]), read);
      const fonts = names.filter((file) => file.endsWith(".ttf"));
      expect(fonts.length).toBeGreaterThan(0);
      for (const font of fonts) expect(font).toMatch(`${family}-`);
    }
  });

  it("may be gone: signs stand for their letters, and the report is whole", async () => {
    const written = await write(reportOf(["🎉 Sale", "双十一"]), (names) =>
      Promise.resolve(names.map(() => null)),
    );
    expect(written.missing).toEqual(["🎉", "双", "十", "一"]);
    expect(await textOf(written)).toContain("\ufffd\ufffd\ufffd");
    const withoutFonts = await write(reportOf(["🎉 Sale"]), async (names) =>
      names[0]?.endsWith(".json") === true ? readFontFiles(names) : names.map(() => null),
    );
    expect(withoutFonts.missing).toEqual(["🎉"]);
    expect(await textOf(withoutFonts)).toContain("\ufffd Sale");
  });

  it("are asked for again when they could not be read", async () => {
    const fonts = newReportFonts();
    const away = () => Promise.reject(new Error("away"));
    await expect(write(reportOf(["🎉"]), away, fonts)).rejects.toThrow("away");
    expect((await write(reportOf(["🎉"]), readFontFiles, fonts)).missing).toEqual([]);
  });
});
