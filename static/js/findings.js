/* Triage by keyboard, one finding beside the list, decisions in a dialog. Everything works as plain links and forms
   too; this makes it quick. */
(() => {
  "use strict";
  const root = document.documentElement;
  const one = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const dialog = one("#decision");
  const address = () => location.pathname + location.search;
  let current = ""; // the id of the current row: rows are drawn anew after a decision
  let last = null; // the last row that was ticked, for shift

  const rows = () => all("#rows tr.item");
  const currentRow = () => (current ? document.getElementById(current) : null);

  const point = (row, { scroll = true } = {}) => {
    for (const old of all("#rows tr.cur")) { old.classList.remove("cur"); old.removeAttribute("aria-current"); }
    if (!row) return;
    current = row.id;
    row.classList.add("cur");
    row.setAttribute("aria-current", "true");
    if (scroll) row.scrollIntoView({ block: "nearest" });
    one("a.t", row)?.focus({ preventScroll: true });
  };
  const move = (by) => {
    const list = rows();
    if (!list.length) return;
    const at = list.indexOf(currentRow());
    point(list[Math.min(Math.max(at + by, 0), list.length - 1)]);
    if (!one("#split")?.classList.contains("closed") && currentRow()?.dataset.number) open(currentRow().dataset.number);
  };

  // Selection
  const boxes = () => all("#rows tbody input[type=checkbox]");
  const count = () => {
    const whole = one("#whole");
    const bar = one("#bulk");
    if (!bar || !whole) return;
    let chosen = 0;
    for (const box of boxes()) {
      const row = box.closest("tr");
      row.classList.toggle("sel", box.checked || whole.value === "1");
      if (!box.checked) continue;
      const group = row.closest("tbody")?.querySelector("tr.group input[type=checkbox]");
      if (row.classList.contains("sub") && group?.checked) continue; // counted with its group
      chosen += Number(box.dataset.count || 1);
    }
    const wholeButton = one("#select-whole");
    one("#selected").textContent = whole.value === "1" ? wholeButton.dataset.total : chosen.toLocaleString("en");
    bar.hidden = !chosen && whole.value !== "1";
    wholeButton.hidden = whole.value === "1";
    const page = one("#all");
    if (page) page.checked = boxes().length > 0 && boxes().every((box) => box.checked);
  };
  const clear = () => {
    for (const box of boxes()) box.checked = false;
    if (one("#whole")) one("#whole").value = "0";
    count();
  };
  const nothingSelected = () => one("#whole")?.value !== "1" && !boxes().some((box) => box.checked);

  // One finding beside the list. Every request has a source of its own: htmx lets one element have one at a time.
  const wideEnough = () => matchMedia("(min-width: 1181px)").matches;
  let wanted = "";
  const open = (number) => {
    const url = new URL(location.href);
    if (wanted === number && url.searchParams.get("selected") === number) return;
    wanted = number;
    url.searchParams.set("selected", number);
    history.replaceState(null, "", url);
    htmx.ajax("GET", `/findings/${number}/panel/`, { source: "#detail", target: "#detail", swap: "innerHTML" }).then(() => one("#split").classList.remove("closed"));
  };
  const close = () => {
    const url = new URL(location.href);
    url.searchParams.delete("selected");
    history.replaceState(null, "", url);
    wanted = "";
    one("#detail")?.replaceChildren();
    one("#split")?.classList.add("closed");
    currentRow()?.querySelector("a.t")?.focus();
  };

  // A group's findings below it
  const expand = (row) => {
    const link = one("[data-expand]", row);
    if (!link) return;
    const isOpen = link.getAttribute("aria-expanded") === "true";
    link.setAttribute("aria-expanded", String(!isOpen));
    if (isOpen) { for (const sub of all("tr.sub", row.closest("tbody"))) sub.remove(); count(); return; }
    htmx.ajax("GET", row.dataset.rows, { source: row, target: row, swap: "afterend" }).then(count);
  };

  // Decisions
  const decide = (url, values) => {
    if (!dialog) { location.assign(url); return; }
    const verb = values ? "POST" : "GET";
    htmx.ajax(verb, url, { source: dialog, target: dialog, swap: "innerHTML", values }).then(() => {
      if (!dialog.childElementCount) return;
      if (!dialog.open) dialog.showModal();
      one("form :is(select, textarea, input:not([type=hidden]))", dialog)?.focus();
    });
  };
  const selection = () => {
    const data = new FormData(one("#selection"));
    const values = {};
    for (const name of new Set(data.keys())) values[name] = data.getAll(name);
    return values;
  };
  const act = (verb) => {
    if (one("#selection") && !nothingSelected()) { decide(`/findings/bulk/${verb}/`, selection()); return; }
    const row = currentRow();
    const number = row ? row.dataset.number : one("#finding")?.dataset.number;
    if (number) { decide(`/findings/${number}/${verb}/`); return; }
    if (row) { // a group: all of it
      one("input[type=checkbox]", row).checked = true;
      count();
      decide(`/findings/bulk/${verb}/`, selection());
    }
  };
  const redraw = () => {
    if (!one("#findings")) { location.reload(); return; }
    const opened = all("#rows [data-expand][aria-expanded=true]").map((link) => link.closest("tr").id);
    htmx.ajax("GET", address(), { source: "#split", target: "#findings", select: "#findings", swap: "outerHTML" }).then(() => {
      point(currentRow(), { scroll: false });
      for (const id of opened) { const row = document.getElementById(id); if (row) expand(row); }
      count();
    });
    const number = new URL(location.href).searchParams.get("selected");
    if (number) { wanted = ""; open(number); }
  };
  addEventListener("decided", (event) => {
    if (dialog?.open) dialog.close();
    dialog?.replaceChildren();
    const { text, undo } = event.detail;
    const line = document.createElement("div");
    line.className = "message success";
    line.append(Object.assign(document.createElement("span"), { textContent: text }));
    if (undo) {
      const button = Object.assign(document.createElement("button"), { type: "button", className: "btn sm", textContent: "Undo" });
      button.addEventListener("click", () => { htmx.ajax("POST", undo, { source: button, swap: "none" }).then(() => line.remove()); });
      line.append(button);
    }
    one("#toasts")?.append(line);
    setTimeout(() => line.remove(), 12000);
    redraw();
  });

  addEventListener("click", (event) => {
    const at = (selector) => (event.target instanceof Element ? event.target.closest(selector) : null);
    if (event.ctrlKey || event.metaKey || event.shiftKey && !at("input[type=checkbox]")) return;
    const row = at("#rows tr.item");
    if (row) { current = row.id; for (const old of all("#rows tr.cur")) old.classList.remove("cur"); row.classList.add("cur"); }
    if (at("[data-decide]")) {
      event.preventDefault();
      decide(at("[data-decide]").href);
    } else if (at("[data-unselect]")) {
      close();
    } else if (at("#select-whole")) {
      one("#whole").value = "1";
      count();
    } else if (at("#clear")) {
      clear();
    } else if (at("[data-expand]")) {
      event.preventDefault();
      expand(row);
    } else if (at("[data-panel]") && wideEnough()) {
      event.preventDefault();
      open(at("[data-panel]").dataset.panel);
    } else if (at("#all")) {
      for (const box of boxes()) box.checked = event.target.checked;
      count();
    } else if (at("#rows input[type=checkbox]")) {
      const list = boxes();
      if (event.shiftKey && last && list.includes(last)) {
        const [from, to] = [list.indexOf(last), list.indexOf(event.target)].sort((a, b) => a - b);
        for (const box of list.slice(from, to + 1)) box.checked = event.target.checked;
      }
      last = event.target;
      if (!event.target.checked && one("#whole")) one("#whole").value = "0";
      count();
    }
  });
  addEventListener("submit", (event) => {
    // getAttribute: boxes named "id" stand in the way of form.id
    if (event.target.getAttribute("id") !== "selection" || !event.submitter?.dataset.verb) return;
    event.preventDefault();
    decide(event.submitter.formAction, selection());
  });
  dialog?.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest("a[data-close]")) event.preventDefault();
  });

  const typing = (target) => target instanceof HTMLElement && (target.isContentEditable || (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) && target.type !== "checkbox"));
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || one("dialog[open]") || typing(event.target)) return;
    if (event.key === "Escape") { if (!nothingSelected()) clear(); else if (one("#detail")?.childElementCount) close(); return; }
    if (root.dataset.shortcuts === "off") return;
    const row = currentRow();
    const keys = {
      j: () => move(1),
      k: () => move(-1),
      x: () => { if (row) one("input[type=checkbox]", row)?.click(); },
      a: () => act("assign"),
      s: () => act("snooze"),
      d: () => act("dismiss"),
    };
    if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
  });
  count();
})();
