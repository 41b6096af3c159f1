/** The page's only style sheet. Logical properties turn it round for languages from right to left. */
export const STYLE = `
:root{color-scheme:light dark;--page:#fff;--ink:#1b2733;--muted:#5f6f7e;--line:#dbe2e8;--panel:#f3f6f8;--band:#0f5c73;--accent:#0f5c73;--soft:#d8e8ed;--good:#1d7a4c;--bad:#b23a2c}
@media screen and (prefers-color-scheme:dark){:root{--page:#11181f;--ink:#e4ebf1;--muted:#a3b3c1;--line:#2b3843;--panel:#1a242d;--accent:#7fcbe0;--soft:#1d3640;--good:#5fcf93;--bad:#f08a7b}}
*{box-sizing:border-box}
body{margin:0;color:var(--ink);background:var(--page);font:15px/1.6 Vazirmatn,"Segoe UI",Roboto,"Helvetica Neue",Tahoma,Arial,sans-serif}
header{background:var(--band);color:#fff;padding:3.5rem max(1.5rem,calc(50vw - 480px)) 2rem;border-bottom:5px solid #e0812b}
h1{font-size:2.1rem;line-height:1.25;margin:0 0 1.5rem;overflow-wrap:anywhere}
header dl{display:flex;flex-wrap:wrap;gap:1rem 2.5rem;margin:0}
header dt{font-size:.8rem;opacity:.75}
header dd{margin:0}
header p{opacity:.85;margin:1.2rem 0 0}
main{max-width:1008px;margin:0 auto;padding:0 1.5rem 3rem}
h2{color:var(--accent);font-size:1.3rem;border-bottom:2px solid var(--soft);padding-bottom:.4rem;margin:2.4rem 0 1rem;break-after:avoid}
h3{font-size:1rem;margin:1.4rem 0 .5rem;break-after:avoid}
ul{padding-inline-start:1.2rem;margin:.4rem 0}
a{color:var(--accent);overflow-wrap:anywhere}
.muted{color:var(--muted)}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(230px,1fr));gap:.8rem}
.card{background:var(--panel);border-radius:8px;padding:.8rem 1rem;break-inside:avoid}
.card p{margin:0}
.label{display:flex;justify-content:space-between;gap:.6rem;color:var(--muted);font-size:.8rem;min-height:1.3em}
.value{font-size:1.6rem;font-weight:700;white-space:nowrap}
.long{font-size:1.15rem;line-height:2.2}
.good{color:var(--good)}.bad{color:var(--bad)}
figure{margin:0 0 1.6rem;break-inside:avoid}
figcaption{font-weight:700;margin-bottom:.3rem}
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;margin:0;font-size:.85rem;color:var(--muted)}
.legend i{display:inline-block;width:.7em;height:.7em;border-radius:2px;margin-inline-end:.4em}
svg{width:100%;height:auto;display:block}
svg text{font-size:12px;fill:var(--muted)}
.grid{stroke:var(--line);fill:none}
.line{fill:none;stroke-width:2.2;stroke-linejoin:round;stroke-linecap:round}
.wide{overflow-x:auto}
.wide:focus-visible,a:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
table{border-collapse:collapse;width:100%;font-size:.88rem}
th{background:var(--soft);color:var(--accent);text-align:start;padding:.45rem .6rem;vertical-align:bottom}
td{padding:.4rem .6rem;border-bottom:1px solid var(--line);overflow-wrap:anywhere;min-width:4.5rem}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap;min-width:0}
tfoot td{font-weight:700;background:var(--panel)}
tr{break-inside:avoid}
thead{display:table-header-group}
@page{size:A4;margin:14mm}
@media print{body{font-size:11px}header{padding:1.5rem;-webkit-print-color-adjust:exact;print-color-adjust:exact}main{padding:0;max-width:none}.wide{overflow:visible}th,.card,tfoot td,rect{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
`;
