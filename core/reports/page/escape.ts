const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** A piece of HTML or SVG that may stand in a page as it is. */
export interface Markup {
  readonly markup: string;
}

/**
 * Builds markup; whatever is put in is escaped, unless it is markup itself.
 *
 * @example html`<td>${name}</td>`
 */
export function html(
  parts: TemplateStringsArray,
  ...values: (string | number | Markup | readonly Markup[])[]
): Markup {
  let markup = parts[0] ?? "";
  for (const [index, value] of values.entries()) markup += put(value) + (parts[index + 1] ?? "");
  return { markup };
}

function put(value: string | number | Markup | readonly Markup[]): string {
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return escape(value);
  if ("markup" in value) return value.markup;
  return value.map((part) => part.markup).join("");
}

/** Control characters are no part of HTML, and half surrogates cannot be encoded. */
function escape(text: string): string {
  return (
    text
      .toWellFormed()
      // eslint-disable-next-line no-control-regex -- control characters are what is taken out
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, "")
      .replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character)
  );
}
