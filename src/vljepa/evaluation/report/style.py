"""How the pages look: light or dark as the reader has it, and on a phone."""

STYLE = """
:root { color-scheme: light dark; --line: #8883; --soft: #8881; --good: #1d7f45; --bad: #b83b2b;
  --s0: #7a7f87; --s1: #c77700; --s2: #1769c4; --s3: #8a3fb5; --s4: #0f8a83; }
@media (prefers-color-scheme: dark) { :root { --good: #6fd197; --bad: #ff8f7d;
  --s0: #a3a9b3; --s1: #f2ab43; --s2: #6fb1ff; --s3: #cf97f0; --s4: #58d0c7; } }
* { box-sizing: border-box; }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 66rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.7rem; margin: 0 0 .5rem; } h2 { font-size: 1.2rem; margin: 3rem 0 .25rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 .5rem; }
p, dd { margin: 0 0 .6rem; max-width: 46rem; } dt { font-weight: 600; }
dd { overflow-wrap: anywhere; font-size: .9rem; }
.wide { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: .9rem; min-width: 100%; }
th, td { text-align: left; padding: .45rem .7rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; vertical-align: bottom; } td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
td.n { white-space: nowrap; }
td small, th small { display: block; font-weight: 400; opacity: .7; } td.best b { border-bottom: 2px solid; }
td:first-child { min-width: 9rem; overflow-wrap: anywhere; }
@media (max-width: 40rem) { body { padding: 1.25rem .75rem 3rem; } th, td { padding: .4rem .3rem; font-size: .8rem; }
  td:first-child { min-width: 6rem; } }
.tag { font-size: .75rem; border: 1px solid var(--line); border-radius: 1rem; padding: 0 .5rem; font-weight: 400; }
.key::before { content: ""; display: inline-block; width: .7em; height: .7em; border-radius: 50%;
  margin-right: .4em; background: var(--c); }
svg { width: 100%; min-width: 34rem; height: auto; font-size: 13px; } svg text { fill: currentColor; }
.rule { stroke: var(--line); } .chance { stroke: currentColor; stroke-width: 2; stroke-dasharray: 2 3; }
.series { stroke: var(--c); stroke-width: 2; fill: none; } circle, .amount { fill: var(--c); }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(17rem, 100%), 1fr)); gap: 1.25rem; }
figure { margin: 0; font-size: .85rem; background: var(--soft); border-radius: .5rem; overflow: hidden; }
figure img { display: block; width: 100%; height: auto; max-height: 11rem; object-fit: contain; }
figcaption { padding: .6rem .75rem .75rem; overflow-wrap: anywhere; }
figcaption div { margin-top: .3rem; } .who { opacity: .7; }
.right { color: var(--good); } .wrong { color: var(--bad); }
details { margin-top: .8rem; } li { overflow-wrap: anywhere; } summary { cursor: pointer; }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin: 1rem 0; font-size: .9rem; }
.chip { font-size: .75rem; font-weight: 400; border-radius: 1rem; padding: .05rem .55rem; white-space: nowrap; }
.chip.quoted { border: 1px dashed; opacity: .75; font-style: italic; }
.chip.measured { background: var(--s2); color: Canvas; font-weight: 600; }
.paper tr.quoted td { font-style: italic; opacity: .7; } .paper tr.measured td { background: #1769c41c; }
.paper tr.measured td:first-child { border-left: 3px solid var(--s2); font-weight: 600; }
body:has(.tables) { max-width: 90rem; } .paper { width: auto; min-width: 0; }
.paper th.group { border-left: 1px solid var(--line); }
.paper.broad th, .paper.broad td { padding: .35rem .4rem; font-size: .85rem; }
.paper.broad th > span:not(.chip) { display: inline-block; max-height: 13rem; text-align: left;
  writing-mode: vertical-rl; transform: rotate(180deg); }
.paper.broad td:first-child { min-width: 7rem; }
.paper td { white-space: nowrap; } .paper td:first-child { white-space: normal; }
.paper td:first-child, .paper tr:not(.kind) > th:first-child { position: sticky; left: 0; z-index: 1; }
.paper tr.quoted td:first-child { opacity: 1; } .paper td:first-child, .paper th:first-child { background: Canvas; }
.paper tr.measured td:first-child { background: color-mix(in srgb, var(--s2) 14%, Canvas); }
.paper tr.kind th { padding-top: .8rem; } .part { color: var(--bad); opacity: 1; }
.parts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(30rem, 100%), 1fr)); gap: 0 2.5rem; }
.parts h2 { font-size: 1rem; }
.synthetic { border: 2px dashed var(--s1); border-radius: .6rem; padding: 0 1rem; margin-top: 3rem; }
.synthetic h2 { margin-top: 1.2rem; } a { color: inherit; }
.matrix { width: auto; min-width: 0; font-size: 12px; } .matrix .count { font-size: 10px; }
"""
