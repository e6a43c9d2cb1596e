/* Stating an input: only the numbers that the chosen way takes, and only the ways in which the input is stated. Without
   this all of them are there, and the server says what is wrong. */
(() => {
  "use strict";
  const follow = (form) => {
    const kind = form.elements.kind, name = form.elements.name;
    if (name?.dataset.kinds) {
      const kinds = JSON.parse(name.dataset.kinds)[name.value];
      for (const option of kind.options) option.hidden = option.disabled = !kinds.includes(option.value);
      if (!kinds.includes(kind.value)) kind.value = kinds[0];
    }
    const takes = JSON.parse(kind.dataset.takes);
    for (const each of new Set(Object.values(takes).flat())) {
      const field = form.elements[each]?.closest(".field");
      if (!field) continue;
      field.hidden = !takes[kind.value].includes(each);
      field.querySelector(".opt-word")?.remove();
    }
  };
  const forms = () => [...document.querySelectorAll("select[data-takes]")].map((select) => select.form);
  addEventListener("change", (event) => { if (event.target.form && forms().includes(event.target.form)) follow(event.target.form); });
  addEventListener("DOMContentLoaded", () => forms().forEach(follow));
})();
