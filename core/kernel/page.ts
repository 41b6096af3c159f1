import { AppError } from "./errors.ts";
import { isStorableText } from "./text.ts";

/** Which part of a list is asked for. */
export interface PageRequest {
  /** 1 to 200. */
  limit: number;
  cursor?: string | undefined;
}

/** A part of a list, and where the next begins. */
export interface Page<Item> {
  items: Item[];
  nextCursor: string | null;
}

/** A cursor is the sort key of the last item shown, base64url of JSON: opaque to clients. */
export function encodeCursor(values: (string | number)[]): string {
  // btoa takes bytes only, so what is beyond ASCII goes as JSON's own escapes.
  const ascii = JSON.stringify(values).replace(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return btoa(ascii).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/**
 * @param length how many values a cursor of this list has
 * @throws AppError `invalid_request` when the cursor is none of ours
 */
export function decodeCursor(cursor: string, length: number): (string | number)[] {
  try {
    const values: unknown = JSON.parse(atob(cursor.replaceAll("-", "+").replaceAll("_", "/")));
    const valid =
      Array.isArray(values) &&
      values.length === length &&
      values.every((value) =>
        typeof value === "string" ? isStorableText(value) : typeof value === "number",
      );
    if (valid) return values;
  } catch {
    // Falls through: whatever is wrong with it, it is not one of our cursors.
  }
  throw new AppError("invalid_request", {
    message: "cursor is not one that a list gave. Start again without it.",
    param: "cursor",
  });
}

/** Makes a page of rows that were read with `limit + 1`. */
export function toPage<Row, Item>(
  rows: Row[],
  limit: number,
  item: (row: Row) => Item,
  cursorOf: (row: Row) => (string | number)[],
): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map(item),
    nextCursor: rows.length > limit && last !== undefined ? encodeCursor(cursorOf(last)) : null,
  };
}
