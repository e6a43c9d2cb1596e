/* A slider beside a field: it writes into the field, and the field moves it. Without this the fields do alone. */
(() => {
  "use strict";
  const field = (slider) => document.getElementById(slider.dataset.for);
  addEventListener("input", (event) => {
    const slider = event.target.closest?.(".slider");
    if (slider) { const own = field(slider); if (own) own.value = slider.value; return; }
    for (const each of document.querySelectorAll(".slider")) if (field(each) === event.target && event.target.value !== "") each.value = event.target.value;
  });
})();
