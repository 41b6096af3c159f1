/** A function, the time spent in it and in what it called, and what it called. */
export type Frame = { name: string; micros: number; children: Frame[] };

const width = 1_200;
const rowHeight = 17;
/** Narrower frames are left out, in pixels. */
const narrowest = 0.5;
const pixelsPerCharacter = 6.6;

/** Draws frames as a flame graph: callers below, widths as shares of the whole. Returns an SVG. */
export function flameGraph(root: Frame, title: string): string {
  const rows: string[] = [];
  const depth = draw(root, { left: 0, level: 0, scale: width / root.micros, rows });
  const height = (depth + 2) * rowHeight;
  const upwards = rows.map((row) =>
    row.replaceAll(/@(\d+)/g, (_, y) => String(height - Number(y))),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="monospace" font-size="11">
<text x="4" y="13">${escaped(title)}</text>
${upwards.join("\n")}
</svg>
`;
}

/** @returns how many rows the frame and what it called take */
function draw(
  frame: Frame,
  at: { left: number; level: number; scale: number; rows: string[] },
): number {
  const { left, level, scale, rows } = at;
  const wide = frame.micros * scale;
  if (wide < narrowest) return 0;
  const share = `${((wide / width) * 100).toFixed(1)} %`;
  const shown = frame.name.slice(0, Math.floor(wide / pixelsPerCharacter));
  const top = (level + 1) * rowHeight;
  rows.push(
    `<g><title>${escaped(frame.name)}, ${share}</title><rect x="${left.toFixed(1)}" y="@${top}" width="${wide.toFixed(1)}" height="${rowHeight - 1}" fill="${colourOf(frame.name)}"/>` +
      `<text x="${(left + 3).toFixed(1)}" y="@${top - 12}">${escaped(shown)}</text></g>`,
  );
  let from = left;
  let deepest = 0;
  for (const child of frame.children.toSorted((a, b) => b.micros - a.micros)) {
    deepest = Math.max(deepest, draw(child, { left: from, level: level + 1, scale, rows }));
    from += child.micros * scale;
  }
  return deepest + 1;
}

/** The project's own code in warm colours, libraries in yellow, the runtime's own in grey. */
function colourOf(name: string): string {
  if (!name.includes(".ts:") && !name.includes(".js:")) return "#c9c9c9";
  return /\b(core|workers|platform)\//.test(name) ? "#f2925a" : "#f5d76e";
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
