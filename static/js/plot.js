/* Draws every figure that the server made, in the page's own colours, and again when theme or figure change.
   A trace says in `meta` which of the page's tokens it has: "accent", "cri-b", "text" … */
(() => {
  "use strict";
  const NARROW = 520;  // px
  const draw = () => {
    if (!window.Plotly) return;
    const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    // light-dark() is resolved where it is used: ask an element that uses it.
    const probe = document.createElement("span");
    document.body.append(probe);
    const colour = (name) => { probe.style.color = `var(--${name})`; return getComputedStyle(probe).color; };
    for (const place of document.querySelectorAll(".plot[data-figure]")) {
      if (!place.dataset.figure) continue;
      const figure = JSON.parse(place.dataset.figure);
      for (const trace of figure.data) {
        const own = colour(trace.meta || "accent");
        if (trace.type === "bar") trace.marker = { ...trace.marker, color: own };
        else {
          trace.line = { width: 2, ...trace.line, color: own };
          trace.marker = { size: 5, ...trace.marker, color: own };
          if (trace.fill) trace.fillcolor = own.replace("rgb(", "rgba(").replace(")", `, ${trace.customdata?.[0] ?? trace.customdata ?? 0.15})`);
        }
      }
      const grid = colour("line");
      Object.assign(figure.layout, { paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { color: colour("muted"), family: token("--font"), size: 12 } });
      for (const axis of Object.keys(figure.layout).filter((name) => /^[xy]axis\d*$/.test(name))) Object.assign(figure.layout[axis], { gridcolor: grid, linecolor: grid, zerolinecolor: grid });
      // On a phone a legend takes a line for each name: the plot grows by them, and not at its own expense.
      const names = figure.data.filter((trace) => trace.name && trace.showlegend !== false).length;
      const grows = place.clientWidth < NARROW && names > 3;
      place.style.height = grows ? `${320 + 19 * names}px` : "";
      if (grows) {
        figure.layout.legend = { ...figure.layout.legend, font: { size: 11 } };
        figure.layout.margin = { ...figure.layout.margin, l: 48, r: 8 };
      }
      Plotly.react(place, figure.data, figure.layout, { displayModeBar: false, responsive: true });
      place.dispatchEvent(new CustomEvent("drawn", { bubbles: true }));
    }
    probe.remove();
  };
  addEventListener("DOMContentLoaded", draw);
  document.addEventListener("theme", draw);
  addEventListener("htmx:afterSettle", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
})();
