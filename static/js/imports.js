/* Files are sent one by one, each with its progress, and files of configuration together, since they are one platform; the
   list below follows by itself (htmx). */
(() => {
  "use strict";
  const form = document.getElementById("upload");
  if (!form) return;
  const drop = document.getElementById("drop");
  const chooser = document.getElementById("file");
  const list = document.getElementById("files");
  const limit = Number(form.dataset.limit);
  const size = (bytes) => (bytes < 1024 ? `${bytes} bytes` : bytes < 1048576 ? `${(bytes / 1024).toFixed(1)} KB` : `${(bytes / 1048576).toFixed(1)} MB`);

  const configuration = /\.(ya?ml|tf|tfvars|py|toml|properties|env|ini|cfg|conf)$|^(Dockerfile|Containerfile|\.env)/i;

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
      data.append("path", file.webkitRelativePath || file.name);
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
  const sendAll = (files) => {
    if (!files.length) return;
    const service = form.elements.namedItem("service");
    if (!service.reportValidity()) return;
    const kind = form.elements.namedItem("kind").value;
    const together = files.filter((file) => kind === "platform" || (!kind && configuration.test(file.name)));
    if (together.length > 1) sending = sending.then(() => send(together));
    for (const file of together.length > 1 ? files.filter((each) => !together.includes(each)) : files) sending = sending.then(() => send([file]));
    sending.then(() => { chooser.value = ""; });
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    sendAll([...chooser.files]);
  });
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
    if (!service.value) { // kept until the service is named
      chooser.files = event.dataTransfer.files;
      service.focus();
      service.reportValidity();
      return;
    }
    sendAll(files);
  });
})();
