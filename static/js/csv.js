/* Beside each table that stands whole on the page (data-csv) a button that saves it as CSV. Lists that go on over pages
   have an address of their own for that. */
(() => {
  "use strict";
  const NUMBER = /^[-−+]?[\d,]+(\.\d+)?$/;
  const WITH_UNIT = /^[-−+]?[\d,]+(\.\d+)?[kM]? ([A-Z]{3}|%)$/;  // nothing that a spreadsheet would run
  const NOT_TEXT = "[data-no-csv], .phone-only, svg, button, input, select, form";

  const name = (table) => (table.caption?.textContent || "Table").trim();

  // What is read, with hidden words apart from those beside them; plain numbers without their separators.
  const text = (cell) => {
    const copy = cell.cloneNode(true);
    copy.querySelectorAll(NOT_TEXT).forEach((element) => element.remove());
    copy.querySelectorAll("*").forEach((element) => element.before(" "));
    const words = copy.textContent.replace(/\s+/g, " ").trim();
    if (NUMBER.test(words)) return words.replace(/,/g, "").replace("−", "-").replace(/^\+/, "");
    // What a spreadsheet would run is text.
    return /^[=+\-@\t\r]/.test(words) && !WITH_UNIT.test(words) ? `'${words}` : words;
  };

  const quoted = (words) => /[",\n]/.test(words) ? `"${words.replace(/"/g, '""')}"` : words;

  // A cell over several columns or rows is repeated in none: the others stay empty, so that columns stay columns.
  const lines = (table) => {
    const rows = [...table.rows].filter((row) => !row.hidden && row.cells.length);
    const grid = rows.map(() => []);
    rows.forEach((row, y) => {
      let x = 0;
      for (const cell of row.cells) {
        while (grid[y][x] !== undefined) x += 1;
        for (let down = 0; down < cell.rowSpan && y + down < grid.length; down += 1)
          for (let right = 0; right < cell.colSpan; right += 1) grid[y + down][x + right] = down || right ? "" : text(cell);
      }
    });
    return grid.map((row) => Array.from(row, (words) => quoted(words ?? "")).join(",") + "\r\n");
  };

  const save = (table) => {
    const blob = new Blob(lines(table), { type: "text/csv;charset=utf-8" });
    const file = name(table).replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "").toLowerCase() || "table";
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: `${file}.csv` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  };

  // In the heading of the card whose only table it is, or that it stands below; the second table of a card, and one that is
  // folded away, has it at its foot.
  const offer = (table) => {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "btn sm csv", textContent: "CSV" });
    button.setAttribute("aria-label", `CSV of ${name(table)}`);
    button.addEventListener("click", () => save(table));
    const block = table.closest(".tw") || table;
    const card = block.parentElement;
    const isOnly = card.matches(".card") && card.querySelectorAll("table[data-csv]").length === 1;
    const header = isOnly ? card.querySelector(":scope > header") : block.previousElementSibling;
    if (header?.tagName !== "HEADER") { block.after(button); return; }
    const right = header.querySelector(".r") || header.appendChild(Object.assign(document.createElement("div"), { className: "r" }));
    right.append(button);
  };

  const all = () => document.querySelectorAll("table[data-csv]").forEach((table) => {
    if (table.dataset.csv) return;
    table.dataset.csv = "offered";
    offer(table);
  });
  addEventListener("DOMContentLoaded", all);
  addEventListener("htmx:afterSettle", all);
})();
