import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseText } from "#test/telegram/bot-api/parse-entities.ts";
import { markdownToEntities } from "./markdown-to-entities.ts";

/** Each entity with the text that it covers, which is easier to read than offsets. */
function shown(markdown: string): { text: string; entities: string[] } {
  const { text, entities } = markdownToEntities(markdown);
  return {
    text,
    entities: entities.map(
      (one) => `${one.type}:${text.slice(one.offset, one.offset + one.length)}`,
    ),
  };
}

describe("Markdown to entities", () => {
  it.each([
    [
      "**bold** and *italic* and ~~gone~~",
      "bold and italic and gone",
      ["bold:bold", "italic:italic", "strikethrough:gone"],
    ],
    ["# Title\n\nText", "Title\n\nText", ["bold:Title"]],
    ["a `b*c` d", "a b*c d", ["code:b*c"]],
    ["```ts\nconst a = 1 < 2;\n```", "const a = 1 < 2;", ["pre:const a = 1 < 2;"]],
    ["[site](https://example.com/a?b=1&c=2)", "site", ["text_link:site"]],
    ["[local](/etc/passwd)", "local (/etc/passwd)", []],
    ["> quoted\n> > deeper", "quoted\n\ndeeper", ["blockquote:quoted\n\ndeeper"]],
    ["- one\n- two\n  - three\n- [x] done", "• one\n• two\n   • three\n☑ done", []],
    ["3. three\n4. four", "3. three\n4. four", []],
    ["1 &lt; 2 &amp; 3, AT&T", "1 < 2 & 3, AT&T", []],
    ["سلام **دنیا** 👋🏽 `کد`", "سلام دنیا 👋🏽 کد", ["bold:دنیا", "code:کد"]],
    [
      "**bold with `code` in it**",
      "bold with code in it",
      ["bold:bold with ", "code:code", "bold: in it"],
    ],
    ["[`code` link](https://example.com)", "code link", ["text_link:code link"]],
    ["<b>not a tag</b>", "<b>not a tag</b>", []],
    ["line<br>break", "line\nbreak", []],
    ["snake_case_name and 2*3*4", "snake_case_name and 234", ["italic:3"]],
    ["an open **mark and ```", "an open **mark and ```", []],
    ["", "", []],
  ])("%j", (markdown, text, entities) => {
    expect(shown(markdown)).toEqual({ text, entities });
  });

  it("sets a table in a fixed width", () => {
    const { text, entities } = shown("| a | long |\n|---|---|\n| wide cell | 1 |");
    expect(text).toBe("a         │ long\n──────────┼─────\nwide cell │ 1");
    expect(entities).toHaveLength(1);
  });

  it("never makes an entity that Telegram would refuse or drop, whatever the Markdown", () => {
    const piece = fc.constantFrom(
      "**",
      "*",
      "_",
      "`",
      "```",
      "```py\n",
      "\n",
      "\n\n",
      "[a](http://b)",
      "> ",
      "- ",
      "# ",
      "|a|b|\n|-|-|\n",
      "x",
      "سلام",
      "👩‍👩‍👧",
      "&amp;",
      "<b>",
      " ",
      "~~",
      "\\",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const { text, entities } = markdownToEntities(pieces.join(""));
        expect(text).toBe(text.trimEnd());
        if (entities.length <= 100)
          expect(parseText(text, undefined, entities).entities).toEqual(entities);
        for (const code of entities.filter((one) => one.type === "code" || one.type === "pre")) {
          const overlapping = entities.filter(
            (one) =>
              one !== code &&
              one.type !== "blockquote" &&
              one.offset < code.offset + code.length &&
              code.offset < one.offset + one.length,
          );
          expect(overlapping).toEqual([]);
        }
      }),
      { numRuns: 300 },
    );
  });
});
