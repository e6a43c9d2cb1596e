/* Files are sent one by one, each with its progress, and files of configuration together, since they are one platform; a
   folder as one archive. The list below follows by itself (htmx). */
(() => {
  "use strict";
  const form = document.getElementById("upload");
  if (!form) return;
  const drop = document.getElementById("drop");
  const chooser = document.getElementById("file");
  const folder = document.getElementById("folder");
  const list = document.getElementById("files");
  const limit = Number(form.dataset.limit);
  const size = (bytes) => (bytes < 1024 ? `${bytes} bytes` : bytes < 1048576 ? `${(bytes / 1024).toFixed(1)} KB` : `${(bytes / 1048576).toFixed(1)} MB`);

  const configuration = /\.(ya?ml|tf|tfvars|py|toml|properties|env|ini|cfg|conf)$|^(Dockerfile|Containerfile|\.env)/i;

  // What no scan reads either: it would only make the archive larger.
  const skipped = new Set([".git", ".hg", ".svn", "node_modules", ".terraform", ".venv", "venv", "__pycache__", ".tox", ".mypy_cache", ".pytest_cache", ".ruff_cache"]);
  const paths = new WeakMap(); // of files that were dropped with their folder
  const pathOf = (file) => paths.get(file) || file.webkitRelativePath || file.name;

  /* The files of one folder as a tar, without reading them: headers between what they hold. */
  const bytes = new TextEncoder();
  const header = (path, length, type) => {
    const block = new Uint8Array(512);
    const put = (text, at) => block.set(bytes.encode(text), at);
    block.set(bytes.encode(path).slice(0, 100), 0);
    put("0000644\0" + "0000000\0" + "0000000\0", 100);
    put(`${length.toString(8).padStart(11, "0")}\0${"0".repeat(11)}\0${" ".repeat(8)}${type}`, 124);
    put("ustar\0" + "00", 257);
    put(`${block.reduce((sum, each) => sum + each, 0).toString(8).padStart(6, "0")}\0 `, 148);
    return block;
  };
  const padding = (length) => new Uint8Array((512 - (length % 512)) % 512);
  const record = (path) => { // the length at its beginning counts itself
    const rest = ` path=${path}\n`;
    const plain = bytes.encode(rest).length;
    let length = plain + 1;
    while (String(length).length + plain !== length) length = String(length).length + plain;
    return bytes.encode(length + rest);
  };
  const packed = (tops, files) => {
    const parts = [];
    // Of one folder places are told from it on, as the command line does.
    const isOne = tops.length === 1 && files.every((file) => pathOf(file).startsWith(`${tops[0]}/`));
    const byPath = files.map((file) => [isOne ? pathOf(file).slice(tops[0].length + 1) : pathOf(file), file]).sort(([one], [other]) => (one < other ? -1 : 1));
    for (const [path, file] of byPath) {
      if (bytes.encode(path).length > 100) {
        const longer = record(path);
        parts.push(header("path", longer.length, "x"), longer, padding(longer.length));
      }
      parts.push(header(path, file.size, "0"), file, padding(file.size));
    }
    return new File([...parts, new Uint8Array(1024)], `${tops.join(" and ").slice(0, 100)}.tar`, { type: "application/x-tar" });
  };

  const below = async (place) => {
    if (place.isFile) {
      const file = await new Promise((done, refused) => { place.file(done, refused); });
      paths.set(file, place.fullPath.replace(/^\//, ""));
      return [file];
    }
    if (skipped.has(place.name)) return [];
    const reader = place.createReader();
    const found = [];
    for (;;) { // a hundred at a time
      const some = await new Promise((done, refused) => { reader.readEntries(done, refused); });
      if (!some.length) return found;
      for (const each of some) found.push(...await below(each));
    }
  };

  const entry = (files) => {
    const line = document.createElement("li");
    const words = files.length > 1 ? `${files.length} files of configuration` : files[0].name;
    const name = Object.assign(document.createElement("b"), { textContent: words });
    const state = Object.assign(document.createElement("small"), { textContent: size(total(files)) });
    const bar = document.createElement("progress");
    bar.className = "bar";
    bar.max = 1;
    bar.value = 0;
    bar.setAttribute("aria-label", `Sending ${words}`);
    line.append(name, state, bar);
    list.append(line);
    return { line, state, bar };
  };
  const failed = ({ line, state, bar }, words) => {
    bar.classList.add("failed");
    bar.value = 1;
    state.textContent = "Not taken";
    line.append(Object.assign(document.createElement("span"), { className: "bad small", textContent: words }));
  };
  const refresh = () => {
    const rows = document.getElementById("import-rows");
    if (rows) htmx.ajax("GET", rows.dataset.address, { target: rows, swap: "outerHTML" });
  };

  const total = (files) => files.reduce((sum, file) => sum + file.size, 0);
  const send = (files) => new Promise((resolve) => {
    const shown = entry(files);
    if (!total(files)) { failed(shown, "The file is empty."); resolve(); return; }
    if (total(files) > limit) { failed(shown, `It has ${size(total(files))}; at most ${size(limit)} are taken.`); resolve(); return; }
    const data = new FormData(form);
    data.delete("file");
    for (const file of files) {
      data.append("file", file, file.name);
      data.append("path", pathOf(file));
    }
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) shown.bar.value = event.loaded / event.total;
    });
    request.addEventListener("error", () => { failed(shown, "The server cannot be reached: try again."); resolve(); });
    request.addEventListener("load", () => {
      let answer = null;
      try { answer = JSON.parse(request.responseText); } catch { /* an error page: its status says enough */ }
      const errors = answer ? Object.values(answer.errors).flat() : [];
      if (request.status === 201 && answer) {
        shown.bar.value = 1;
        shown.bar.classList.add("done");
        shown.state.replaceChildren(Object.assign(document.createElement("a"), { href: answer.imports[0].address, className: "link", textContent: `Import ${answer.imports[0].id}` }));
        refresh();
      } else {
        failed(shown, errors.join(" ") || (request.status === 403 ? "You may not import into this service." : `The server answered ${request.status}.`));
      }
      resolve();
    });
    request.send(data);
  });

  let sending = Promise.resolve();
  let held = []; // what was dropped before its service was named
  const hold = (files) => {
    held = files;
    chooser.required = !files.length && !folder.files.length;
    drop.querySelector("#held").textContent = files.length ? `${files.length} files are waiting.` : "";
  };
  const sendAll = (all) => {
    if (!all.length) return;
    const service = form.elements.namedItem("service");
    if (!service.reportValidity()) return;
    // Beside a folder loose configuration goes along: as an upload of its own it would take the folder's place.
    const isLoose = (file) => !pathOf(file).includes("/");
    const tops = new Set(all.filter((file) => !isLoose(file)).map((file) => pathOf(file).split("/")[0]));
    const goesAlong = (file) => tops.size && (!isLoose(file) || configuration.test(file.name));
    const whole = all.filter((file) => goesAlong(file) && !pathOf(file).split("/").slice(0, -1).some((each) => skipped.has(each)));
    if (whole.length) sending = sending.then(() => send([packed([...tops], whole)]));
    const files = all.filter((file) => !goesAlong(file));
    const kind = form.elements.namedItem("kind").value;
    const together = files.filter((file) => kind === "platform" || (!kind && configuration.test(file.name)));
    if (together.length > 1) sending = sending.then(() => send(together));
    for (const file of together.length > 1 ? files.filter((each) => !together.includes(each)) : files) sending = sending.then(() => send([file]));
    sending.then(() => { chooser.value = ""; folder.value = ""; hold([]); });
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    sendAll([...held, ...chooser.files, ...folder.files]);
  });
  folder.addEventListener("change", () => hold(held));
  document.getElementById("whole").hidden = false;
  // What is dropped beside the form must not replace the page.
  for (const name of ["dragenter", "dragover"]) {
    addEventListener(name, (event) => {
      if (![...(event.dataTransfer?.types || [])].includes("Files")) return;
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  addEventListener("dragleave", (event) => { if (!event.relatedTarget) drop.classList.remove("over"); });
  addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    const files = [...(event.dataTransfer?.files || [])];
    const service = form.elements.namedItem("service");
    const places = [...(event.dataTransfer?.items || [])].map((each) => each.webkitGetAsEntry?.()).filter(Boolean);
    if (places.some((each) => each.isDirectory)) {
      Promise.all(places.map(below)).then((found) => {
        hold(found.flat());
        if (service.value) sendAll(held); else { service.focus(); service.reportValidity(); }
      }, () => { drop.querySelector("#held").textContent = "Something in the folder cannot be read."; });
      return;
    }
    if (!service.value) { // kept until the service is named
      chooser.files = event.dataTransfer.files;
      service.focus();
      service.reportValidity();
      return;
    }
    sendAll(files);
  });
})();
