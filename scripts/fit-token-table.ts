// Fits core/chat/token-table.ts, which estimates tokens, to texts of yours:
//
//   npx node scripts/fit-token-table.ts FOLDER
//
// FOLDER has TEXTS/NAME.txt, a file for each language or kind of text, its texts separated by lines with a NUL, and may
// have WORDS/NAME.txt with lines `word count`. Texts of everyday language matter most; a megabyte of each kind is
// plenty. Never fit on core/chat/token-texts.json: it is what judges the fit.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { encode } from "gpt-tokenizer/encoding/o200k_base";
import ranks from "gpt-tokenizer/bpeRanks/o200k_base";
import { hashOn, TokenFilter } from "../core/chat/token-filter.ts";
import { eachMatch, MATCH_KINDS } from "../core/chat/token-matches.ts";

/** Tokens in the filter, and bits for each: 60,000 × 6 bits are 45 KB, and 1 of 16 foreign strings gets through. */
const TOKENS = 60_000;
const BITS_PER_TOKEN = 6;
const LONGEST = 12;
const WEIGHT_UNIT = 100;

/** Of the score of a token, how much its rank in the tokenizer makes, and how flat ranks count. */
const RANK_SHARE = 0.35;
const RANK_FLATNESS = 2000;
/** How much each kind of text counts for the choice of tokens; 1 where it isn't named. */
const SHARES: Record<string, number> = JSON.parse(
  `{"en":4,"zh":9,"zh_tw":1,"ru":7,"ja":6,"de":4,"fa":3.5,"es":3.5,"hi":3.5,"ar":3,"fr":2.5,"ko":2,"it":1.5,"pt":1.5,"tr":1.5,
    "code2":1.5,"py":1.2,"js":0.7,"other":0.6,"json":0.4,"csv":0.4,"table":0.4,"num":0.4,"log":0.4,"url":0.4,
    "emoji":0.4,"html":0.4,"c":0.4}`,
);
/** Characters of a file that are counted for the choice of tokens, and that weights are fitted on. */
const COUNTED = 900_000;
const FITTED = 120_000;
const RIDGE = 0.02;
/** Books and manuals have rarer words, in more tokens, than what people ask of a model and it answers. */
const EVERYDAY = 0.97;

const folder = process.argv[2];
if (folder === undefined) throw new Error("Name the folder with the texts");

/** The same sequence each time, so that the same texts give the same table. */
let seed = 7;
const random = () => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 32;
};

const kinds = readdirSync(path.join(folder, "TEXTS")).map((file) => path.parse(file).name);
const textsOf = new Map(
  kinds.map((kind) => {
    const all = readFileSync(path.join(folder, "TEXTS", `${kind}.txt`), "utf8").split("\n\0\n");
    const texts = all.filter((text) => text.length > 0 && text.isWellFormed());
    return [
      kind,
      texts.map((text) => ({ text, order: random() })).sort((a, b) => a.order - b.order),
    ];
  }),
);
interface CountedWord {
  word: string;
  count: number;
  /** The counts up to and with this word. */
  upTo: number;
}

const wordsOf = new Map(
  readdirSync(path.join(folder, "WORDS")).map((file) => [
    path.parse(file).name,
    readWords(path.join(folder, "WORDS", file)),
  ]),
);

const filter = new TokenFilter(
  new Uint8Array(Math.ceil((TOKENS * BITS_PER_TOKEN) / 8)),
  TOKENS * BITS_PER_TOKEN,
);
for (const token of chooseTokens()) {
  let hash = 0;
  for (let at = 0; at < token.length; at++) hash = hashOn(hash, token.charCodeAt(at));
  filter.add(hash);
}
writeTable(fitWeights());

function readWords(file: string): CountedWord[] {
  const words: CountedWord[] = [];
  for (const line of readFileSync(file, "utf8").split("\n")) {
    const [word = "", count] = line.split(" ");
    if (word === "" || !(Number(count) > 0)) continue;
    words.push({ word, count: Number(count), upTo: Number(count) + (words.at(-1)?.upTo ?? 0) });
  }
  return words;
}

/** The most used tokens, without the space before them and in small letters, as the filter is asked for them. */
function chooseTokens(): string[] {
  const uses = new Map<number, number>();
  for (const [kind, texts] of textsOf) {
    const counted = new Map<number, number>();
    let length = 0;
    for (const { text } of texts) {
      if ((length += text.length) > COUNTED) break;
      const inText = new Map<number, number>();
      for (const token of encode(text)) inText.set(token, (inText.get(token) ?? 0) + 1);
      // The root keeps the words of one long text from counting for all.
      for (const [token, count] of inText) add(counted, token, Math.sqrt(count));
    }
    addShare(uses, counted, (SHARES[kind] ?? 1) * (wordsOf.has(kind) ? 0.5 : 1));
  }
  for (const [kind, words] of wordsOf) {
    const counted = new Map<number, number>();
    for (const { word, count } of words) {
      const use = count ** 0.85;
      const spaced = /^(?:ja|zh)/.test(kind) ? "" : " ";
      for (const token of encode(spaced + word)) add(counted, token, use);
      const capital = word.charAt(0).toUpperCase() + word.slice(1);
      if (spaced !== "") for (const token of encode(` ${capital}`)) add(counted, token, use * 0.12);
    }
    addShare(uses, counted, (SHARES[kind] ?? 1) * 0.5);
  }
  return bestTokens(uses);
}

function bestTokens(uses: ReadonlyMap<number, number>): string[] {
  const scores = new Map<string, number>();
  const all = sum(uses.values());
  const rankScore = (rank: number) => 1 / (rank + RANK_FLATNESS);
  const allRanks = ranks.reduce((total: number, _, rank) => total + rankScore(rank), 0);
  for (const [rank, token] of ranks.entries()) {
    if (typeof token !== "string" || /^(?:[0-9]+|\s+)$/.test(token)) continue;
    const known = (token.startsWith(" ") ? token.slice(1) : token).toLowerCase();
    if (known.length < 2 || known.length > LONGEST) continue;
    const used = ((uses.get(rank) ?? 0) / all) * (1 - RANK_SHARE);
    add(scores, known, used + (RANK_SHARE * rankScore(rank)) / allRanks);
  }
  const best = [...scores].sort((left, right) => right[1] - left[1]).slice(0, TOKENS);
  return best.map(([token]) => token);
}

/** Weights of the kinds of matches that make the least relative error, by ridge regression around one token each. */
function fitWeights(): number[] {
  const products = Array.from({ length: MATCH_KINDS }, () => new Float64Array(MATCH_KINDS));
  const targets = new Float64Array(MATCH_KINDS);
  for (const text of fittedTexts()) {
    const real = encode(text).length;
    const seen = new Map<number, number>();
    eachMatch({ text, filter, see: (kind) => add(seen, kind, 1) });
    const rest = real - sum(seen.values());
    const importance = Math.min(1, text.length / 300) / real ** 2;
    for (const [row, count] of seen) {
      targets[row] = (targets[row] ?? 0) + importance * count * rest;
      const line = products[row] ?? targets;
      for (const [column, other] of seen)
        line[column] = (line[column] ?? 0) + importance * count * other;
    }
  }
  for (const [index, row] of products.entries()) row[index] = (row[index] ?? 0) + RIDGE;
  return solve(products, targets).map((weight) =>
    Math.round((1 + weight) * EVERYDAY * WEIGHT_UNIT),
  );
}

/** Pieces of 40 to 4,000 characters of the texts, and plain ones made of words as often as they are used. */
function* fittedTexts(): Iterable<string> {
  for (const texts of textsOf.values()) {
    let length = 0;
    for (const { text } of texts) {
      if (length > FITTED) break;
      for (let at = 0; at < Math.min(text.length, FITTED);) {
        const piece = text.slice(at, at + Math.floor(40 * 100 ** random()));
        at += piece.length;
        length += piece.length;
        if (piece.length >= 40 && piece.isWellFormed()) yield piece;
      }
    }
  }
  for (const [kind, words] of wordsOf) for (let n = 0; n < 150; n++) yield madeText(kind, words);
}

function madeText(kind: string, words: readonly CountedWord[]): string {
  const spaced = !/^(?:ja|zh)/.test(kind);
  let text = "";
  for (let n = 5 + Math.floor(random() * 200); n > 0; n--) {
    let word = pickWord(words);
    if (spaced && random() < 0.08) word = word.charAt(0).toUpperCase() + word.slice(1);
    const signs = spaced ? [", ", ". ", "? ", ".\n"] : ["，", "。"];
    text +=
      word + (random() < 0.12 ? signs[Math.floor(random() * signs.length)] : spaced ? " " : "");
  }
  return text;
}

/** A word as often as it is used, found by halving what the words before it add up to. */
function pickWord(words: readonly CountedWord[]): string {
  const wanted = random() * (words.at(-1)?.upTo ?? 0);
  let [low, high] = [0, words.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((words[middle]?.upTo ?? 0) < wanted) low = middle + 1;
    else high = middle;
  }
  return words[low]?.word ?? "";
}

/** Gaussian elimination of a positive definite system. */
function solve(matrix: Float64Array[], targets: Float64Array): number[] {
  const at = (row: number, column: number) => matrix[row]?.[column] ?? 0;
  for (let pivot = 0; pivot < matrix.length; pivot++) {
    for (let row = pivot + 1; row < matrix.length; row++) {
      const factor = at(row, pivot) / at(pivot, pivot);
      if (factor === 0) continue;
      matrix[row]?.forEach(
        (value, column, line) => (line[column] = value - factor * at(pivot, column)),
      );
      targets[row] = (targets[row] ?? 0) - factor * (targets[pivot] ?? 0);
    }
  }
  const solution = Array.from(matrix, () => 0);
  for (let row = matrix.length - 1; row >= 0; row--) {
    let rest = targets[row] ?? 0;
    for (let column = row + 1; column < matrix.length; column++)
      rest -= at(row, column) * (solution[column] ?? 0);
    solution[row] = rest / at(row, row);
  }
  return solution;
}

function writeTable(weights: readonly number[]): void {
  const target = fileURLToPath(new URL("../core/chat/token-table.ts", import.meta.url));
  const bits = Buffer.from(filter.bytes).toString("base64");
  const table = `/** What estimating tokens knows of o200k_base, fitted by \`scripts/fit-token-table.ts\`. Do not edit. */

/** The bits of a Bloom filter of the tokenizer's ${TOKENS} most used tokens of letters and signs, in base64. */
export const TOKEN_FILTER =
  "${bits}";

/** How many bits of it count. */
export const TOKEN_FILTER_BITS = ${filter.size};

/** How much weight a token has. */
export const WEIGHT_UNIT = ${WEIGHT_UNIT};

/** What a match of each kind weighs. */
// oxfmt-ignore
export const MATCH_WEIGHTS = [
${(weights.join(", ").match(/.{1,110}(?:, |$)/g) ?? []).map((line) => `  ${line.trim()}`).join("\n")}
];
`;
  writeFileSync(target, table);
}

function add<Key>(counts: Map<Key, number>, key: Key, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}

function addShare(
  to: Map<number, number>,
  counts: ReadonlyMap<number, number>,
  share: number,
): void {
  const all = sum(counts.values());
  if (all > 0) for (const [key, count] of counts) add(to, key, (share * count) / all);
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
