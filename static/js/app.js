/* What every page does: theme, keys, dialogs, toasts, and htmx's CSRF header. No inline scripts anywhere: the content
   security policy forbids them. Pages say what they want by attributes:

   data-open="ID"      opens the <dialog id="ID">           data-close  closes the dialog around it
   data-confirm="…"    asks before a form is sent (put it on the form or on its submit button)
   data-auto-submit    a form that is sent when a control in it changes
   data-copy="ID"      copies the text of #ID
   A server's answer may carry `HX-Trigger: {"toast": {"text": "…", "kind": "success|warning|error"}}`. */
(() => {
  "use strict";
  const root = document.documentElement;

  // Theme. The cookie lets the server draw the right one at once; localStorage tells the other tabs.
  const remember = (theme) => {
    document.cookie = `theme=${theme};path=/;max-age=31536000;samesite=lax${location.protocol === "https:" ? ";secure" : ""}`;
    try { localStorage.setItem("theme", theme); } catch { /* private mode: the cookie is enough */ }
  };
  const isDark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const named = () => {
    const button = document.getElementById("theme");
    if (button) button.setAttribute("aria-label", isDark() ? "Use the light theme" : "Use the dark theme");
  };
  const dress = (theme) => {
    root.dataset.theme = theme;
    named();
    document.dispatchEvent(new CustomEvent("theme", { detail: theme }));
  };
  addEventListener("storage", (event) => {
    if (event.key === "theme" && event.newValue) dress(event.newValue === "dark" ? "dark" : "light");
  });

  // Toasts
  const toast = (text, kind = "") => {
    const place = document.getElementById("toasts");
    if (!place) return;
    const line = document.createElement("div");
    line.className = `message ${["success", "warning", "error"].includes(kind) ? kind : ""}`;
    line.append(Object.assign(document.createElement("span"), { textContent: text }));
    const close = document.createElement("button");
    close.type = "button";
    close.className = "btn sm sq quiet";
    close.setAttribute("aria-label", "Close this message");
    close.textContent = "×";
    close.addEventListener("click", () => line.remove());
    line.append(close);
    place.append(line);
    if (kind !== "error") setTimeout(() => line.remove(), 8000);
  };
  addEventListener("toast", (event) => toast(event.detail.text || String(event.detail.value || ""), event.detail.kind));

  // htmx: the CSRF token, and words when a request fails
  addEventListener("htmx:configRequest", (event) => {
    if (event.detail.verb === "get") return;
    const token = document.querySelector('meta[name="csrf-token"]');
    if (token) event.detail.headers["X-CSRFToken"] = token.content;
  });
  addEventListener("htmx:responseError", (event) => {
    const words = event.detail.xhr.getResponseHeader("X-Message");
    const fallback = event.detail.xhr.status === 403 ? "You may not do this." : `The server answered ${event.detail.xhr.status}: nothing was changed.`;
    toast(words ? decodeURIComponent(words) : fallback, "error");
  });
  addEventListener("htmx:sendError", () => toast("The server cannot be reached: try again.", "error"));

  // Clicks
  addEventListener("click", (event) => {
    const at = (selector) => (event.target instanceof Element ? event.target.closest(selector) : null);
    const opener = at("[data-open]");
    const closer = at("[data-close]");
    const copier = at("[data-copy]");
    if (at("#theme")) {
      const next = isDark() ? "light" : "dark";
      remember(next);
      dress(next);
    } else if (opener) {
      const dialog = document.getElementById(opener.dataset.open);
      if (dialog instanceof HTMLDialogElement) { event.preventDefault(); dialog.showModal(); }
    } else if (closer) {
      closer.closest("dialog")?.close();
    } else if (copier) {
      navigator.clipboard?.writeText(document.getElementById(copier.dataset.copy)?.textContent.trim() || "").then(() => toast("Copied.", "success"));
    } else if (event.target instanceof HTMLDialogElement) {
      event.target.close(); // the backdrop
    }
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });

  // Forms
  addEventListener("submit", (event) => {
    const asked = event.submitter?.dataset.confirm || event.target.dataset.confirm;
    if (asked && !confirm(asked)) { event.preventDefault(); event.stopImmediatePropagation(); }
  }, true);
  addEventListener("change", (event) => {
    const form = event.target instanceof Element ? event.target.closest("form[data-auto-submit]") : null;
    if (form) form.requestSubmit();
  });

  // Keys. Single keys can be switched off in the account (data-shortcuts="off" on <html>).
  const typing = (target) => target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      for (const menu of document.querySelectorAll("details.menu[open]")) {
        const inside = menu.contains(document.activeElement);
        menu.open = false;
        if (inside) menu.querySelector("summary").focus();
      }
      return;
    }
    if (root.dataset.shortcuts === "off" || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (typing(event.target) || document.querySelector("dialog[open]")) return;
    if (event.key === "/") {
      const search = document.getElementById("search");
      if (search) { event.preventDefault(); search.focus(); search.select(); }
    } else if (event.key === "?") {
      const dialog = document.getElementById("shortcuts");
      if (dialog instanceof HTMLDialogElement) { event.preventDefault(); dialog.showModal(); }
    }
  });

  named();
})();
