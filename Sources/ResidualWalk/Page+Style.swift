// Page+Style.swift: how the page looks, on a desk and on a phone, in light and in dark.

extension Page {
  /// The style sheet. Colours are those of the package's drawings.
  static let style = #"""
    :root {
      color-scheme: light dark;
      --paper: #ffffff; --box: #f3f4f6; --line: #c9ced6; --ink: #1f2328; --faint: #5c6470;
      --forward: #005a9c; --backward: #b04a00; --notice: #00734f;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --paper: #0d1117; --box: #1c222b; --line: #3a424e; --ink: #e6edf3; --faint: #9aa4b0;
        --forward: #79c0ff; --backward: #ffa657; --notice: #56d3a0;
      }
    }
    * { box-sizing: border-box; }
    body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.45 system-ui, sans-serif; }
    h1 { font-size: 1.15rem; margin: 0; }
    #stop:focus { outline: none; }
    h2 { font-size: 1.15rem; margin: 0 0 0.3rem; overflow-wrap: anywhere; }
    h3 { font-size: 0.95rem; margin: 1.1rem 0 0.3rem; }
    p { margin: 0.3rem 0; max-width: 44rem; }
    header { padding: 0.5rem 1rem 0; display: flex; flex-wrap: wrap; gap: 0 1.2rem; align-items: baseline; }
    header p { color: var(--faint); font-size: 0.85rem; max-width: none; flex: 1 1 20rem; }
    button, select, input { font: inherit; color: inherit; }
    button, select, input[type="text"] {
      background: var(--box); border: 1px solid var(--line); border-radius: 6px; padding: 0.25rem 0.7rem;
    }
    button { cursor: pointer; min-height: 2.2rem; }
    button.chosen { border-color: var(--notice); border-width: 2px; }
    select { max-width: 100%; min-height: 2.2rem; }
    :focus-visible { outline: 3px solid var(--notice); outline-offset: 1px; }
    a { color: var(--forward); }
    .skip { position: absolute; left: -100rem; }
    .skip:focus { left: 1rem; background: var(--paper); z-index: 9; }

    #controls {
      position: sticky; top: 0; z-index: 3; background: var(--paper); border-bottom: 1px solid var(--line);
      padding: 0.5rem 1rem; display: flex; flex-wrap: wrap; align-items: center; gap: 0.4rem 0.8rem;
    }
    #controls input[type="range"] { flex: 1 1 10rem; min-width: 6rem; accent-color: var(--notice); }
    #where { font-variant-numeric: tabular-nums; color: var(--faint); flex: 0 1 auto; overflow-wrap: anywhere; }
    #options { display: flex; flex-wrap: wrap; gap: 0.3rem 1rem; padding: 0.5rem 1rem 0; align-items: center; }
    #options label { display: inline-flex; align-items: center; gap: 0.35rem; max-width: 100%; min-width: 0; }
    #options select { min-width: 0; flex: 0 1 18rem; width: 18rem; }

    main { padding: 0.8rem 1rem 2rem; display: grid; gap: 1.2rem; grid-template-columns: minmax(0, 1fr); }
    #map svg { display: block; width: 100%; max-width: 250px; height: auto; margin: 0 auto; }
    @media (min-width: 1000px) {
      main { grid-template-columns: 250px minmax(0, 1fr); }
      #map { position: sticky; top: 4rem; align-self: start; max-height: calc(100vh - 4.5rem); overflow: auto; }
    }
    @media (min-width: 1300px) {
      #stop { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 27rem); gap: 0 1.5rem; }
      #code { grid-column: 2; grid-row: 1 / span 3; }
    }

    .equations { margin: 0.4rem 0; border-collapse: collapse; }
    .equations td { padding: 0.1rem 0.9rem 0.1rem 0; vertical-align: baseline; }
    .equations .equation { font-family: ui-monospace, monospace; font-size: 0.88rem; white-space: pre-wrap; }
    .equations .page { color: var(--faint); font-size: 0.8rem; overflow-wrap: anywhere; }
    .question { border-left: 4px solid var(--notice); padding: 0.3rem 0.8rem; margin: 0.7rem 0; background: var(--box); }
    .question .choices { display: flex; flex-wrap: wrap; gap: 0.4rem; margin: 0.3rem 0; }
    .question input { width: 8rem; }
    .verdict { font-weight: 600; }
    .museum { border-left: 4px solid var(--backward); padding: 0.3rem 0.8rem; margin: 0.7rem 0; background: var(--box); }

    .tensor { margin: 0.5rem 0 1rem; }
    .tensor > p { font-size: 0.85rem; color: var(--faint); overflow-wrap: anywhere; }
    .tensor .name { font-weight: 600; color: var(--ink); }
    .tensor .name.forward { color: var(--forward); }
    .tensor .name.backward { color: var(--backward); }
    .grids { display: flex; flex-wrap: wrap; gap: 0.6rem; overflow-x: auto; max-width: 100%; padding: 1px; }
    .grids table { border-collapse: collapse; font-size: 10.5px; font-variant-numeric: tabular-nums; }
    .grids caption { text-align: left; font-size: 0.72rem; color: var(--faint); }
    .grids td {
      width: 37px; height: 25px; padding: 0; text-align: center; border: 1px solid var(--line); white-space: nowrap;
      --tone: transparent; background: color-mix(in srgb, var(--tone) var(--share, 0%), var(--paper)); cursor: pointer;
    }
    .grids td.positive { --tone: var(--forward); }
    .grids td.negative { --tone: var(--backward); }
    .grids td.hidden {
      color: transparent; cursor: default;
      background: repeating-linear-gradient(45deg, var(--box) 0 4px, var(--line) 4px 6px);
    }
    .grids td.lit { outline: 2px solid var(--notice); outline-offset: -2px; font-weight: 700; }
    .grids td.current { outline: 3px solid var(--ink); outline-offset: -2px; font-weight: 700; }
    .choose { font-size: 0.85rem; }
    .beside { border-left: 3px dotted var(--faint); padding-left: 0.7rem; }

    #made {
      position: sticky; bottom: 0; background: var(--box); border: 1px solid var(--line); border-radius: 8px 8px 0 0;
      padding: 0.4rem 0.8rem; max-height: 30vh; overflow: auto; font-size: 0.8rem; z-index: 2;
    }
    #made:empty { display: none; }
    #made table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
    #made td { padding: 0 0.8rem 0 0; vertical-align: top; overflow-wrap: anywhere; }
    #made td:last-child { white-space: nowrap; }
    #made .close { float: right; min-height: 0; padding: 0 0.5rem; }

    pre {
      margin: 0 0 0.8rem; padding: 0.5rem 0; background: var(--box); border-radius: 6px; overflow-x: auto;
      font: 11.5px/1.5 ui-monospace, monospace;
    }
    pre span { display: block; padding: 0 0.7rem 0 3.6em; text-indent: -2.6em; white-space: pre-wrap; }
    pre span { overflow-wrap: anywhere; }
    pre span.marked { background: color-mix(in srgb, var(--notice) 25%, var(--box)); font-weight: 600; }
    pre i { display: inline-block; width: 2.6em; text-indent: 0; color: var(--faint); font-style: normal; }
    .file { font-size: 0.8rem; color: var(--faint); overflow-wrap: anywhere; }
    .errors { border-collapse: collapse; font-size: 0.85rem; width: 100%; max-width: 44rem; }
    .errors td { padding: 0.05rem 0.6rem 0.05rem 0; overflow-wrap: anywhere; }
    .errors .bar { width: 35%; }
    .errors .bar span { display: block; height: 0.7rem; background: var(--backward); min-width: 2px; }
    .errors .bar span.right { background: var(--forward); }

    #map text { font-size: 12px; fill: var(--ink); }
    #map .faint { fill: var(--faint); font-size: 10px; }
    #map rect, #map circle { fill: var(--box); stroke: var(--line); stroke-dasharray: 3 3; }
    #map .done rect, #map circle.done { stroke: var(--forward); stroke-dasharray: none; }
    #map .back rect, #map circle.back { stroke: var(--backward); stroke-width: 2; stroke-dasharray: none; }
    #map .here rect, #map circle.here { stroke: var(--ink); stroke-width: 3; stroke-dasharray: none; }
    #map g.node { cursor: pointer; }
    #map path { fill: none; stroke: var(--line); stroke-dasharray: 3 3; }
    #map path.forward { stroke: var(--forward); stroke-width: 1.6; stroke-dasharray: none; }
    #map path.backward { stroke: var(--backward); stroke-width: 2; stroke-dasharray: none; }
    #map path.bold { stroke-width: 4; }
    #map .wrong { fill: var(--backward); font-weight: 700; }
    #map .bar { stroke: none; fill: var(--backward); }
    #map .bar.plain { fill: var(--faint); }
    """#

  /// What the page's script fills.
  static let body = #"""
    <a class="skip" href="#stop">To the stop</a>
    <header>
    <h1>One training step, number by number</h1>
    <p id="about"></p>
    </header>
    <nav id="controls" aria-label="Walk">
    <button id="previous" type="button">◀ Back</button>
    <button id="next" type="button">Next ▶</button>
    <input id="slider" type="range" min="0" value="0" aria-label="Stop">
    <span id="where"></span>
    </nav>
    <div id="options" role="group" aria-label="Options">
    <label><input id="ask" type="checkbox" checked> Ask before showing</label>
    <label id="besideLabel"><input id="beside" type="checkbox"> Plain net beside</label>
    <label>Mistake <select id="mistake"></select></label>
    </div>
    <main>
    <section id="map" aria-label="The way through the network"></section>
    <article id="stop" tabindex="-1">
    <div id="text"></div>
    <div id="tensors"></div>
    <div id="made" role="region" aria-label="What a number was made of" aria-live="polite"></div>
    <section id="code" aria-label="Code"></section>
    </article>
    </main>
    <noscript><p>This page needs JavaScript to walk from stop to stop.</p></noscript>
    """#
}
