import { describe, expect, it } from "vitest";
import { clustersOf } from "./share-out.ts";
import { drawn, isFromRight, orderText, visualRuns } from "./visual-runs.ts";

/** What stands on the line, from its left to its right: letters from right to left are turned as shaping turns them. */
function line(text: string, base: "ltr" | "rtl" | "auto", start?: number, end?: number): string {
  return visualRuns(orderText(text, base), start, end)
    .map((run) => (isFromRight(run) ? clustersOf(run).reverse().join("") : run))
    .join("");
}

describe("the order of a line", () => {
  it("puts a mixed Persian line in the order in which it is read, with its brackets the right way round", () => {
    expect(line("۱۴۰۵ (CTR 3.2%)", "rtl")).toBe("(CTR 3.2%) ۱۴۰۵");
    expect(line("سال ۱۴۰۵ (CTR 3.2%) خوب", "rtl")).toBe("بوخ (CTR 3.2%) ۱۴۰۵ لاس");
  });

  it("keeps digits from left to right within Persian, with their separators", () => {
    expect(line("هزینه ۱۲٬۳۴۵٫۶ دلار", "rtl")).toBe("رالد ۱۲٬۳۴۵٫۶ هنیزه");
  });

  it("keeps Latin text as it is where nothing is written from right to left", () => {
    expect(visualRuns(orderText("Search – Brand (DE)", "ltr"))).toEqual(["Search – Brand (DE)"]);
  });

  it("puts the full stop of a Persian sentence that ends in Latin at its left", () => {
    expect(line("گزارش Google Ads.", "rtl")).toBe(".Google Ads شرازگ");
  });

  it("keeps a list of Latin names with Persian commas whole", () => {
    expect(line("در Meta، TikTok", "rtl")).toBe("Meta، TikTok رد");
  });

  it("takes the direction of the first letter where it is asked to", () => {
    expect(line("کمپین (30d)", "auto")).toBe("(30d) نیپمک");
    expect(line("Retarget (نوروز)", "auto")).toBe("Retarget (زورون)");
  });

  it("takes an emoji for a sign, not for a Latin letter", () => {
    expect(line("🎉 کمپین (30d)", "auto")).toBe("(30d) نیپمک 🎉");
    expect(line("کمپین 🎉🔥 (30d)", "rtl")).toBe("(30d) 🔥🎉 نیپمک");
  });

  it("turns emoji that are joined round as the one letter that they are", () => {
    expect(line("CTR 👩‍👩‍👧❤️", "rtl")).toBe("❤️👩‍👩‍👧 CTR");
    expect(line("کمپین é", "ltr").normalize()).toBe("نیپمک é");
  });

  it("orders each line of a paragraph by the whole paragraph", () => {
    const text = "سال ۱۴۰۵ (CTR 3.2%)";
    expect(line(text, "rtl", 0, 9)).toBe(" ۱۴۰۵ لاس");
    expect(line(text, "rtl", 9)).toBe("(CTR 3.2%)");
  });

  it("keeps an amount and the share after it in the order of the sentence", () => {
    const amount = "\u2068\u200e$۱۲٬۳۴۵\u2069";
    expect(line(`هزینه: ${amount}، \u2068۷٫۵٪\u2069 بیشتر`, "rtl")).toBe(
      "رتشیب ۷٫۵٪ ،$۱۲٬۳۴۵ :هنیزه",
    );
  });

  it("takes no orders from overrides that a name brings along", () => {
    expect(line("\u202ecod.exe\u202c – spend", "ltr")).toBe("cod.exe – spend");
    expect(line("\u2067abc", "ltr")).toBe("abc");
  });

  it("keeps what a sentence isolates from the line around it", () => {
    expect(line("از \u2068۲۰۲۶-۱۰-۰۱\u2069 تا", "rtl")).toBe("ات ۲۰۲۶-۱۰-۰۱ زا");
  });

  it("draws no marks, but obeys the ones that say where a minus belongs", () => {
    expect(line("\u200e\u2212۱۲٫۳٪", "rtl")).toBe("\u2212۱۲٫۳٪");
    expect(drawn("a\u200fb\ufeff")).toBe("ab");
  });

  it("keeps the joiner that Persian words are written with", () => {
    expect(visualRuns(orderText("می\u200cرود", "rtl"))).toEqual(["می\u200cرود"]);
  });
});
