/* Beside each chart a button that saves it as a picture, in the theme that is on: figures of plot.js (.plot) and charts
   that the server drew (.chart > svg). By way of an SVG in a data: address, which the content security policy lets in. */
(() => {
  "use strict";
  const SCALE = 2, HEAD = 44;

  // Its card, where it is what the card is about: a figure has a name of its own.
  const card = (chart) => chart.closest("figure") ? null : chart.closest(".card");

  // What a chart is called: its heading, or its label up to the first colon.
  const title = (chart) => {
    const heading = document.getElementById(chart.getAttribute("aria-labelledby")) || card(chart)?.querySelector("h2");
    return (heading?.textContent || (chart.getAttribute("aria-label") || "Chart").split(/[:;]/)[0]).trim();
  };

  // In the heading of the chart's card with its other buttons, else among its tools; in a figure of its own below it.
  const offer = (chart, picture) => {
    if (chart.dataset.png) return;
    chart.dataset.png = "offered";
    const button = Object.assign(document.createElement("button"), { type: "button", className: "btn sm png", textContent: "PNG" });
    button.setAttribute("aria-label", `PNG of ${title(chart)}`);
    button.addEventListener("click", async () => {
      button.disabled = true;
      try { await save(chart, picture); } finally { button.disabled = false; }
    });
    const header = card(chart)?.querySelector(":scope > header");
    const tools = card(chart)?.querySelector(":scope > .tools");
    if (!header && tools) { tools.append(button); return; }
    if (!header) { chart.after(button); return; }
    const right = header.querySelector(".r") || header.appendChild(Object.assign(document.createElement("div"), { className: "r" }));
    right.append(button);
  };

  const colours = () => {
    const probe = document.body.appendChild(document.createElement("span"));
    const colour = (name) => { probe.style.color = `var(--${name})`; return getComputedStyle(probe).color; };
    const found = { ground: colour("surface"), ink: colour("text") };
    probe.remove();
    return found;
  };

  const save = async (chart, picture) => {
    const { ground, ink } = colours();
    const { svg, width, height } = await picture(chart);
    const drawn = Object.assign(new Image(), { src: svg });
    await drawn.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: width * SCALE, height: (height + HEAD) * SCALE });
    const context = canvas.getContext("2d");
    context.scale(SCALE, SCALE);
    context.fillStyle = ground;
    context.fillRect(0, 0, width, height + HEAD);
    context.fillStyle = ink;
    context.font = "600 16px system-ui, sans-serif";
    context.fillText(title(chart), 16, 28, width - 32);
    context.drawImage(drawn, 0, HEAD, width, height);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
    const name = title(chart).replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "").toLowerCase() || "chart";
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: `${name}.png` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  };

  const ofPlotly = async (chart) => {
    const width = Math.max(chart.clientWidth, 640), height = Math.max(chart.clientHeight, 320);
    const layout = { ...chart.layout, width, height, autosize: false };
    return { svg: await Plotly.toImage({ data: chart.data, layout }, { format: "svg", width, height }), width, height };
  };

  // The page's style sheets do not reach into a picture: what they say is written into a copy.
  const SAID = ["fill", "stroke", "stroke-width", "stroke-dasharray", "opacity", "fill-opacity", "font-size", "font-family", "font-weight"];
  const ofServer = async (chart) => {
    const { width, height } = chart.viewBox.baseVal;
    const copy = chart.cloneNode(true);
    const [from, to] = [chart, copy].map((svg) => [svg, ...svg.querySelectorAll("*")]);
    from.forEach((element, at) => {
      const style = getComputedStyle(element);
      for (const name of SAID) to[at].setAttribute(name, style.getPropertyValue(name));
    });
    copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    copy.setAttribute("width", width);
    copy.setAttribute("height", height);
    return { svg: `data:image/svg+xml,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`, width, height };
  };

  addEventListener("drawn", (event) => offer(event.target, ofPlotly));
  const server = () => document.querySelectorAll(".chart > svg[role=img]").forEach((chart) => offer(chart, ofServer));
  addEventListener("DOMContentLoaded", server);
  addEventListener("htmx:afterSettle", server);
})();
