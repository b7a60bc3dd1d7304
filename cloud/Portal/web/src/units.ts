/** Units beside levels follow the quantity that is chosen; without script they are those of the page as it came. */
export function followUnits(): void {
  const quantity = document.querySelector<HTMLSelectElement>("select[data-units]");
  const measure = document.querySelector<HTMLSelectElement>("select[name=measure]");
  if (!quantity || !measure) return;
  const show = (): void => {
    const unit = measure.value === "count" || measure.value === "nodata" ? "" : (quantity.selectedOptions[0]?.dataset.unit ?? "");
    for (const place of document.querySelectorAll("[data-unit-follows]")) place.textContent = unit;
  };
  quantity.addEventListener("change", show);
  measure.addEventListener("change", show);
}
