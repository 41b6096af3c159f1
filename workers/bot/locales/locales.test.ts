import { expect, it } from "vitest";
import { ERROR_CODES } from "#core/kernel/errors.ts";
import { LANGUAGES, LOCALES, languageOf } from "./index.ts";

/** The dotted paths of everything in a locale, with the kind of thing that is there. */
function shape(value: unknown, path = ""): string[] {
  if (typeof value !== "object" || value === null) return [`${path}: ${typeof value}`];
  return Object.entries(value).flatMap(([key, inner]) =>
    shape(inner, path === "" ? key : `${path}.${key}`),
  );
}

function texts(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(texts) : [];
}

it.each(LANGUAGES)("%s has every key that English has, and nothing empty", (language) => {
  expect(shape(LOCALES[language]).sort()).toEqual(shape(LOCALES.en).sort());
  expect(texts(LOCALES[language]).filter((text) => text.trim() === "")).toEqual([]);
});

it.each(LANGUAGES)("%s has a sentence of one line for every error code", (language) => {
  expect(Object.keys(LOCALES[language].errors).sort()).toEqual([...ERROR_CODES].sort());
  for (const sentence of Object.values(LOCALES[language].errors))
    expect(sentence).not.toContain("\n");
});

it.each(["fa", "de"] as const)("%s is translated throughout", (language) => {
  const english = new Set(texts(LOCALES.en));
  expect(texts(LOCALES[language]).filter((text) => english.has(text))).toEqual([]);
});

it("takes a regional variant for its language, and English for what it does not speak", () => {
  expect(["fa", "fa-IR", "de-AT", "de_CH", "pt-br", "", undefined].map(languageOf)).toEqual([
    "fa",
    "fa",
    "de",
    "de",
    "en",
    "en",
    "en",
  ]);
});
