import "./fleet.css";

/** What is chosen stays chosen when the list is written anew: a page left open refreshes itself. */
const chosen = new Set<string>();

const boxes = (): HTMLInputElement[] => [...document.querySelectorAll<HTMLInputElement>("#fleet-form input[name=station]")];

function show(): void {
  for (const box of boxes()) box.checked = !box.disabled && chosen.has(box.value);
  for (const button of document.querySelectorAll<HTMLButtonElement>("[data-pick-all]")) button.hidden = boxes().every((box) => box.disabled);
}

document.addEventListener("change", (event) => {
  const box = event.target;
  if (!(box instanceof HTMLInputElement) || box.name !== "station") return;
  if (box.checked) chosen.add(box.value);
  else chosen.delete(box.value);
});

document.addEventListener("click", (event) => {
  if (!(event.target instanceof Element) || !event.target.closest("[data-pick-all]")) return;
  const open = boxes().filter((box) => !box.disabled);
  const all = open.every((box) => box.checked);
  for (const box of open) {
    if (all) chosen.delete(box.value);
    else chosen.add(box.value);
  }
  show();
});

document.addEventListener("hub:refreshed", show);
for (const box of boxes()) if (box.checked) chosen.add(box.value);
show();
