import { expect, it } from "vitest";
import { exampleReport } from "#test/reports/example-report.ts";
import { fileName } from "./file-name.ts";

const named = (title: string) => {
  const report = exampleReport();
  report.cover.title = title;
  return fileName(report, "pdf");
};

it("is the title and the last day", () => {
  expect(named("Campaign report")).toBe("Campaign report 2026-10-31.pdf");
  expect(named("گزارش مهر")).toBe("گزارش مهر 2026-10-31.pdf");
});

it("holds nothing that a file system or a header would take for something else", () => {
  expect(named("../../etc/passwd\u0000\r\nSet-Cookie: a")).toBe(
    "etc passwd Set-Cookie a 2026-10-31.pdf",
  );
  expect(named('a"b<c>|?*')).toBe("a b c 2026-10-31.pdf");
  expect(named("\u202egnp.exe")).toBe("gnp.exe 2026-10-31.pdf");
  expect(named("...")).toBe("report 2026-10-31.pdf");
});

it("keeps the joiner of Persian words, and cuts no letter in half", () => {
  expect(named("کمپین\u200cها")).toBe("کمپین\u200cها 2026-10-31.pdf");
  expect(named("😀".repeat(200))).toBe(`${"😀".repeat(80)} 2026-10-31.pdf`);
});
