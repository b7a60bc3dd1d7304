/** Units beside levels follow the quantity that is chosen; without script they are those of the page as it came. */
export function followUnits(): void {
  const quantity = document.querySelector<HTMLSelectElement>("select[data-units]");
  const measure = document.querySelector<HTMLSelectElement>("select[name=measure]");
  if (!quantity || !measure) return;
  const show = (): void => {
    const own = quantity.selectedOptions[0]?.dataset.unit ?? "";
    const unit = ["count", "nodata", "offline", "exceedances", "airindex"].includes(measure.value) ? "" : measure.value === "goodshare" ? "%" : own;
    for (const place of document.querySelectorAll("[data-unit-follows]")) place.textContent = unit;
    for (const place of document.querySelectorAll("[data-unit-quantity]")) place.textContent = own;
  };
  quantity.addEventListener("change", show);
  measure.addEventListener("change", show);
}
