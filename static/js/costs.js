/* Draws the figure that the server made, in the page's own colours, and again when theme or figure change. */
(() => {
  "use strict";
  const draw = () => {
    const place = document.getElementById("chart");
    if (!place || !place.dataset.figure || !window.Plotly) return;
    const figure = JSON.parse(place.dataset.figure);
    const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    // light-dark() is resolved where it is used: ask an element that uses it.
    const probe = document.createElement("span");
    document.body.append(probe);
    const colour = (name) => { probe.style.color = `var(${name})`; return getComputedStyle(probe).color; };
    const bars = [colour("--accent"), colour("--opt-b")];
    const lines = [colour("--text"), colour("--cri-b")];
    for (const trace of figure.data) {
      const number = Number(String(trace.meta).slice(-1));
      if (trace.type === "bar") trace.marker = { color: bars[number] };
      else { trace.line = { color: lines[number], width: 2 }; trace.marker = { color: lines[number], size: 5 }; }
    }
    const grid = colour("--line");
    Object.assign(figure.layout, { paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { color: colour("--muted"), family: token("--font"), size: 12 } });
    for (const axis of ["xaxis", "yaxis", "yaxis2"]) Object.assign(figure.layout[axis], { gridcolor: grid, linecolor: grid, zerolinecolor: grid });
    probe.remove();
    Plotly.react(place, figure.data, figure.layout, { displayModeBar: false, responsive: true });
  };
  addEventListener("DOMContentLoaded", draw);
  document.addEventListener("theme", draw);
  addEventListener("htmx:afterSettle", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
})();
