// Puts the answer's HTML (made and escaped on the server) on the page, reports which source is
// clicked, and keeps a source's tooltip within the window.
export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".assistant-answer");
  if (root.shown !== data.html) {
    root.innerHTML = data.html;
    root.shown = data.html;
  }
  const sources = root.querySelectorAll("[data-open]");
  const mark = (name) =>
    sources.forEach((source) => {
      source.classList.toggle("is-open", source.dataset.open === name);
      source.setAttribute("aria-expanded", String(source.dataset.open === name));
    });
  mark(data.open);

  const place = (event) => {
    const chip = event.target.closest(".chip");
    const tip = chip && chip.querySelector(".tip");
    if (!tip) return;
    tip.style.setProperty("--shift", "0px");
    tip.classList.remove("below");
    const box = tip.getBoundingClientRect();
    const over = Math.max(0, box.right - window.innerWidth + 12);
    tip.style.setProperty("--shift", `${-Math.min(over, Math.max(0, box.left - 12))}px`);
    tip.classList.toggle("below", box.top < 70);
  };
  root.onmouseover = place;
  root.onfocusin = place;
  root.onclick = (event) => {
    const source = event.target.closest("[data-open]");
    if (!source) return;
    mark(source.dataset.open);
    setTriggerValue("open", source.dataset.open);
  };
}
