import { coverFacts } from "../cover-facts.ts";
import {
  currencyOf,
  type KeyFigure,
  type KeyFigures,
  type Passage,
  type Report,
  type Table,
  type Value,
} from "../report.ts";
import { ValueFormat } from "../value-format.ts";
import { type ReportWords, reportWords } from "../words/report-words.ts";
import { drawSvg, legend } from "./draw-svg.ts";
import { html, type Markup } from "./escape.ts";
import { STYLE } from "./style.ts";

/** Rows of a table that a page shows; a browser draws more of them slowly, and the JSON and the Excel file have them all. */
export const MOST_PAGE_ROWS = 2_000;

/** Characters of a figure from which on its letters are smaller, so that it stays on one line of its card. */
const LONG_VALUE = 13;

interface Writing {
  words: ReportWords;
  format: ValueFormat;
  direction: "ltr" | "rtl";
}

/**
 * A report as one HTML file that needs nothing besides itself and runs no script. Prints as it is shown.
 * @returns the whole page; everything that comes from data is escaped
 */
export function writePage(report: Report): string {
  const words = reportWords(report.language);
  const format = new ValueFormat(report.language);
  const writing = { words, format, direction: report.direction };
  const tables = [report.tables.byPlatform, report.tables.byCampaign];
  const page = html`<!doctype html>
    <html lang="${report.language}" dir="${report.direction}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
        />
        <meta name="referrer" content="no-referrer" />
        <title>${report.cover.title}</title>
        <style>
          ${{ markup: STYLE }}
        </style>
      </head>
      <body>
        ${cover(report, writing)}
        <main>
          <section>
            <h2>${words.summary}</h2>
            ${list(report.summary)}
          </section>
          ${report.keyFigures.map((group) => keyFigures(group, report.keyFigures.length > 1, writing))}
          ${section(words.charts, charts(report, writing))}
          ${tables.map(
            (shown) =>
              html`<section>
                <h2>${shown.title}</h2>
                ${table(shown, writing)}
              </section>`,
          )}
          ${section(words.whatMoved, movements(report, writing))} ${benchmarks(report, writing)}
          <section>
            <h2>${report.tables.byDay.title}</h2>
            ${table(report.tables.byDay, writing)}
          </section>
          ${section(words.appendix, report.appendix.map(passage))}
        </main>
      </body>
    </html> `;
  return page.markup;
}

function cover({ cover }: Report, { words, format }: Writing): Markup {
  return html`<header>
    <h1 dir="auto">${cover.title}</h1>
    <dl>
      ${coverFacts(cover, words, format).map(
        ([label, value]) =>
          html`<div>
            <dt>${label}</dt>
            <dd><bdi>${value}</bdi></dd>
          </div>`,
      )}
    </dl>
    <p>${cover.scope}</p>
  </header>`;
}

function section(title: string, content: readonly Markup[]): Markup {
  return content.length === 0
    ? html``
    : html`<section>
        <h2>${title}</h2>
        ${content}
      </section>`;
}

function list(sentences: readonly string[]): Markup {
  return html`<ul>
    ${sentences.map((sentence) => html`<li>${sentence}</li>`)}
  </ul>`;
}

function passage({ title, sentences }: Passage): Markup {
  return html`<h3>${title}</h3>
    ${sentences.map((sentence) => html`<p>${sentence}</p>`)}`;
}

function charts(report: Report, { format, direction }: Writing): Markup[] {
  return report.charts.map(
    (chart) =>
      html`<figure>
        <figcaption>${chart.title}</figcaption>
        ${legend(chart)}${drawSvg(chart, format, direction)}
      </figure>`,
  );
}

function keyFigures(group: KeyFigures, several: boolean, writing: Writing): Markup {
  const { words } = writing;
  const title =
    several && group.currency !== null
      ? `${words.keyFigures} (${group.currency})`
      : words.keyFigures;
  const cards = group.figures.map((figure) => card(figure, group.currency, writing));
  return html`<section>
    <h2>${title}</h2>
    <div class="cards">${cards}</div>
  </section>`;
}

function card(figure: KeyFigure, currency: string | null, { words, format }: Writing): Markup {
  const show = (value: number) => format.value(value, figure.kind, currency);
  const value = format.value(figure.value, figure.kind, currency);
  const change = format.change(figure.change);
  const mood = figure.welcome === null ? "" : figure.welcome ? "good" : "bad";
  const before =
    figure.previous === null
      ? html``
      : html`<span>${words.before} <bdi>${show(figure.previous)}</bdi></span>`;
  const benchmark =
    figure.benchmark === null
      ? html``
      : html`<span title="${figure.benchmark.source}"
          >${words.benchmark} <bdi>${show(figure.benchmark.value)}</bdi></span
        >`;
  return html`<div class="card">
    <p class="label">
      <span>${figure.label}</span
      >${change === null ? html`` : html`<b class="${mood}"><bdi>${change}</bdi></b>`}
    </p>
    <p class="${value.length > LONG_VALUE ? "value long" : "value"}"><bdi>${value}</bdi></p>
    <p class="label">${before}${benchmark}</p>
  </div>`;
}

function movements(report: Report, writing: Writing): Markup[] {
  return report.movements.map(
    (movement) =>
      html`<h3>${movement.title}</h3>
        ${list(movement.sentences)}${movement.table.rows.length === 0 ? html`` : table(movement.table, writing)}`,
  );
}

function benchmarks({ benchmarks }: Report, writing: Writing): Markup {
  const sources = benchmarks.sources.map(({ name, period, url }) => {
    const isLink = url !== null && /^https?:\/\//.test(url);
    const link = isLink ? html` · <a href="${url}" rel="noreferrer">${url}</a>` : html``;
    return html`<li><bdi>${name}</bdi> · <bdi>${period}</bdi>${link}</li>`;
  });
  return section(writing.words.benchmarks, [
    ...benchmarks.sentences.map((sentence) => html`<p>${sentence}</p>`),
    ...(benchmarks.table.rows.length === 0 ? [] : [table(benchmarks.table, writing)]),
    ...(sources.length === 0
      ? []
      : [
          html`<h3>${writing.words.sources}</h3>
            <ul>
              ${sources}
            </ul>`,
        ]),
  ]);
}

function table(shown: Table, { words, format }: Writing): Markup {
  if (shown.rows.length === 0) return html`<p class="muted">${words.noData}</p>`;
  const head = shown.columns.map(
    ({ label, kind }) => html`<th scope="col" ${numeric(kind)}>${label}</th>`,
  );
  const rowOf = (row: readonly Value[]) => {
    const currency = currencyOf(shown, row);
    const cells = shown.columns.map(
      ({ kind }, index) =>
        html`<td${numeric(kind)}><bdi>${format.value(row[index] ?? null, kind, currency)}</bdi></td>`,
    );
    return html`<tr>
      ${cells}
    </tr>`;
  };
  const rows = shown.rows.slice(0, MOST_PAGE_ROWS);
  const foot =
    shown.totals.length === 0
      ? html``
      : html`<tfoot>
          ${shown.totals.map(rowOf)}
        </tfoot>`;
  const cut =
    rows.length < shown.rows.length
      ? html`<p class="muted">
          ${words.rowsLeftOut(format.count(rows.length), format.count(shown.rows.length))}
        </p>`
      : html``;
  const note = shown.note === null ? html`` : html`<p class="muted">${shown.note}</p>`;
  // Whoever has no pointer scrolls a wide table by its keyboard.
  return html`<div class="wide" tabindex="0" role="region" aria-label="${shown.title}">
      <table>
        <thead>
          <tr>
            ${head}
          </tr>
        </thead>
        <tbody>
          ${rows.map(rowOf)}
        </tbody>
        ${foot}
      </table>
    </div>
    ${cut}${note}`;
}

function numeric(kind: Table["columns"][number]["kind"]): Markup {
  return kind === "text" || kind === "date" ? html`` : html` class="n"`;
}
