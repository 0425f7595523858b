"use strict";
// Lets the maps of a page move: wheel, drag, pinch, double tap, buttons and keys change the viewBox
// of an SVG. The page is complete without: its buttons stay hidden.
(() => {
  const DEEPEST = 32; // times nearer than the whole Earth
  const STEP = 1.6; // zoom of a button or key
  const SHARE = 0.2; // of the view that an arrow key moves
  const GLIDE = 220; // ms
  const TAP = { ms: 350, px: 24 };
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const calm = matchMedia("(prefers-reduced-motion: reduce)");

  function movable(map) {
    const frame = map.querySelector(".window");
    const svg = frame.querySelector("svg");
    const said = map.querySelector("output");
    const box = svg.viewBox.baseVal;
    const whole = { x: box.x + box.width / 2, y: box.y + box.height / 2, w: box.width };
    const tall = box.height / box.width;
    let view = whole; // middle and width
    let goal = whole; // where a glide ends
    let frameNumber = 0;

    function within({ x, y, w }) {
      w = Math.min(whole.w, Math.max(whole.w / DEEPEST, w));
      const right = (whole.w - w) / 2;
      const down = right * tall;
      return {
        x: Math.min(whole.x + right, Math.max(whole.x - right, x)),
        y: Math.min(whole.y + down, Math.max(whole.y - down, y)),
        w,
      };
    }

    function show(next) {
      view = next;
      const { x, y, w } = view;
      const corner = [x - w / 2, y - (w * tall) / 2, w, w * tall];
      svg.setAttribute("viewBox", corner.map((number) => number.toFixed(3)).join(" "));
      svg.style.setProperty("--zoom", (w / whole.w).toFixed(5)); // keeps the marks their size
      frame.classList.toggle("near", w < whole.w * 0.999);
    }

    function jump(next) {
      cancelAnimationFrame(frameNumber);
      goal = within(next);
      show(goal);
      tell();
    }

    function glide(next) {
      if (calm.matches) {
        jump(next);
        return;
      }
      cancelAnimationFrame(frameNumber);
      goal = within(next);
      const from = view;
      const start = performance.now();
      const step = (now) => {
        const past = Math.min(1, Math.max(0, (now - start) / GLIDE));
        const part = past * (2 - past); // slower towards the end
        const w = from.w * (goal.w / from.w) ** part;
        // The middle moves as the width does, so that what lies under the pointer stays there.
        const share = goal.w === from.w ? part : (w - from.w) / (goal.w - from.w);
        show({ x: from.x + (goal.x - from.x) * share, y: from.y + (goal.y - from.y) * share, w });
        if (past < 1) frameNumber = requestAnimationFrame(step);
      };
      frameNumber = requestAnimationFrame(step);
      tell();
    }

    function tell() {
      const times = whole.w / goal.w;
      said.textContent = `${Number(times.toFixed(times < 10 ? 1 : 0))}\u00d7`;
    }

    // What lies at (x, y), in shares of the view from its middle, stays there.
    function zoomed(base, times, x = 0, y = 0) {
      const w = Math.min(whole.w, Math.max(whole.w / DEEPEST, base.w / times));
      return { x: base.x + x * (base.w - w), y: base.y + y * (base.w - w) * tall, w };
    }

    function shares(event) {
      const at = svg.getBoundingClientRect();
      return [(event.clientX - at.left) / at.width - 0.5, (event.clientY - at.top) / at.height - 0.5];
    }

    function moved(base, pixelsX, pixelsY) {
      const units = base.w / svg.clientWidth;
      return { x: base.x - pixelsX * units, y: base.y - pixelsY * units, w: base.w };
    }

    function keyed(event) {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      let next = null;
      if (event.key in ARROWS) {
        const [x, y] = ARROWS[event.key];
        next = { x: goal.x + x * SHARE * goal.w, y: goal.y + y * SHARE * goal.w * tall, w: goal.w };
      } else if (event.key === "+" || event.key === "=") next = zoomed(goal, STEP);
      else if (event.key === "-") next = zoomed(goal, 1 / STEP);
      else if (event.key === "0") next = whole;
      if (!next) return;
      const { x, y, w } = within(next);
      if (x === goal.x && y === goal.y && w === goal.w) return; // the page may scroll instead
      event.preventDefault();
      glide(next);
    }

    // A wheel scrolls the page until the map has the focus, or with Ctrl, as a pinched pad says it.
    function wheeled(event) {
      if (!event.ctrlKey && document.activeElement !== frame) return;
      const lines = event.deltaMode === 1 ? 20 : 1;
      const times = Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.002));
      event.preventDefault();
      jump(zoomed(goal, Math.min(2, Math.max(0.5, times)), ...shares(event)));
    }

    const fingers = new Map();
    let tapped = null;
    let still = true; // whether the pointer hasn't moved since it came down

    function down(event) {
      if (event.button > 0) return;
      frame.setPointerCapture(event.pointerId);
      still = fingers.size === 0;
      fingers.set(event.pointerId, event);
    }

    function dragged(event) {
      const before = fingers.get(event.pointerId);
      if (!before) return;
      const x = event.clientX - before.clientX;
      const y = event.clientY - before.clientY;
      if (still && Math.hypot(x, y) < 4) return;
      still = false;
      if (fingers.size === 1) jump(moved(view, x, y));
      else if (fingers.size === 2) pinched(event, before);
      fingers.set(event.pointerId, event);
    }

    function pinched(event, before) {
      const other = [...fingers.values()].find((each) => each.pointerId !== event.pointerId);
      const apart = (each) => Math.hypot(each.clientX - other.clientX, each.clientY - other.clientY);
      const middle = {
        clientX: (event.clientX + other.clientX) / 2,
        clientY: (event.clientY + other.clientY) / 2,
      };
      const times = apart(event) / Math.max(1, apart(before));
      const x = (event.clientX - before.clientX) / 2;
      const y = (event.clientY - before.clientY) / 2;
      jump(zoomed(moved(view, x, y), times, ...shares(middle)));
    }

    function up(event) {
      if (!fingers.delete(event.pointerId)) return;
      if (!still || event.type === "pointercancel") {
        tapped = null;
        return;
      }
      const near =
        tapped &&
        event.timeStamp - tapped.timeStamp < TAP.ms &&
        Math.hypot(event.clientX - tapped.clientX, event.clientY - tapped.clientY) < TAP.px;
      tapped = near ? null : event;
      if (near) glide(zoomed(goal, 2 * STEP, ...shares(event)));
    }

    const [x, y, w] = map.dataset.answer.split(" ").map(Number);
    const does = {
      nearer: () => glide(zoomed(goal, STEP)),
      farther: () => glide(zoomed(goal, 1 / STEP)),
      whole: () => glide(whole),
      answer: () => glide({ x, y, w }),
    };
    for (const button of map.querySelectorAll("button")) {
      button.addEventListener("click", does[button.value]);
    }
    frame.tabIndex = 0;
    frame.setAttribute("role", "group");
    frame.setAttribute("aria-label", "World map that moves");
    frame.setAttribute("aria-describedby", map.querySelector(".hint").id);
    frame.addEventListener("keydown", keyed);
    frame.addEventListener("wheel", wheeled, { passive: false });
    frame.addEventListener("pointerdown", down);
    frame.addEventListener("pointermove", dragged);
    frame.addEventListener("pointerup", up);
    frame.addEventListener("pointercancel", up);
    map.classList.add("moves");
    for (const part of map.querySelectorAll("[hidden]")) part.hidden = false;
    tell();
  }

  document.querySelectorAll(".map[data-answer]").forEach(movable);
})();
