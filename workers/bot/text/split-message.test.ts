import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { answerMessages } from "./answer-messages.ts";
import { plain } from "./formatted-text.ts";
import { liveView } from "./live-view.ts";
import { markdownToEntities } from "./markdown-to-entities.ts";
import { splitMessage } from "./split-message.ts";

const withoutSpace = (text: string) => text.replace(/\s/g, "");

describe("splitting", () => {
  it("leaves a text that fits alone", () => {
    expect(splitMessage(plain("hello"))).toEqual([plain("hello")]);
  });

  it("cuts between paragraphs where it can", () => {
    const paragraph = "word ".repeat(60).trim();
    const parts = splitMessage(
      plain(Array.from({ length: 20 }, () => paragraph).join("\n\n")),
      1000,
    );
    for (const part of parts)
      expect(part.text.split("\n\n").every((one) => one === paragraph)).toBe(true);
  });

  it("moves a code block that would be torn into the next message, whole", () => {
    const code = "let x = 1;\n".repeat(40).trim();
    const parts = splitMessage(
      markdownToEntities(`${"intro ".repeat(120)}\n\n\`\`\`js\n${code}\n\`\`\`\n\nafter`),
      1000,
    );
    const holders = parts.filter((part) => part.entities.some((one) => one.type === "pre"));
    expect(holders).toHaveLength(1);
    const block = holders[0]?.entities.find((one) => one.type === "pre");
    expect(holders[0]?.text.slice(block?.offset, (block?.offset ?? 0) + (block?.length ?? 0))).toBe(
      code,
    );
  });

  it("cuts a code block that fits no message between lines, and keeps it code of its language on both sides", () => {
    const code = Array.from({ length: 300 }, (_, i) => `print("line ${i}")`).join("\n");
    const parts = splitMessage(markdownToEntities(`\`\`\`python\n${code}\n\`\`\``), 1000);
    expect(parts.length).toBeGreaterThan(3);
    expect(parts.map((part) => part.text).join("\n")).toBe(code);
    for (const part of parts) {
      expect(part.entities).toEqual([
        { type: "pre", language: "python", offset: 0, length: part.text.length },
      ]);
    }
  });

  it("puts no more than 100 entities into a message", () => {
    const parts = splitMessage(
      markdownToEntities(Array.from({ length: 250 }, (_, i) => `**${i}**`).join(" ")),
    );
    expect(Math.max(...parts.map((part) => part.entities.length))).toBeLessThanOrEqual(100);
    expect(parts.flatMap((part) => part.entities)).toHaveLength(250);
  });

  it("loses nothing but white space, keeps every limit and cuts no character in two", () => {
    const word = fc.oneof(
      fc.string({ unit: "grapheme", minLength: 1, maxLength: 30 }),
      fc.constantFrom("👩‍👩‍👧", "سلام", "\n", "\n\n", "`c`", "**b**", "```\ncode\n```"),
    );
    fc.assert(
      fc.property(
        fc.array(word, { maxLength: 80 }),
        fc.integer({ min: 20, max: 120 }),
        (words, limit) => {
          const whole = markdownToEntities(words.join(" "));
          const parts = splitMessage(whole, limit);
          expect(withoutSpace(parts.map((part) => part.text).join(""))).toBe(
            withoutSpace(whole.text),
          );
          for (const part of parts) {
            expect(part.text.length).toBeLessThanOrEqual(limit);
            expect(part.text.isWellFormed() || !whole.text.isWellFormed()).toBe(true);
            for (const one of part.entities)
              expect(one.offset + one.length).toBeLessThanOrEqual(part.text.length);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("answers", () => {
  it("come as one to five messages, and beyond that as the beginning and a file with all of it", () => {
    const paragraph = `${"word ".repeat(100)}\n\n`;
    expect(answerMessages(paragraph.repeat(30), "in the file")).toHaveLength(4);
    const long = paragraph.repeat(60);
    const messages = answerMessages(long, "in the file");
    expect(messages).toMatchObject([
      { kind: "text" },
      { kind: "document", name: "answer.md", text: long },
    ]);
  });
});

describe("the live view", () => {
  it("shows three dots before there is text, the text, and of a long one the end", () => {
    expect(liveView("  ")).toBe("…");
    expect(liveView(" **hi ")).toBe("**hi");
    const long = `${"a".repeat(5000)}END`;
    expect(liveView(long).length).toBeLessThanOrEqual(4096);
    expect(liveView(long).endsWith("END")).toBe(true);
  });
});
