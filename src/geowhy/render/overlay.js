"use strict";
// Fades the picture over the map. The page is complete without: the slider stays hidden.
(() => {
  const slider = document.querySelector("#cover");
  const picture = document.querySelector("#laid");
  const said = document.querySelector("#covered");

  function show() {
    picture.setAttribute("opacity", String(slider.value / 100));
    said.value = `${slider.value} %`;
  }

  slider.closest("[hidden]").hidden = false;
  slider.addEventListener("input", show);
  show();
})();
