/**
 * Scripts that a page is useful without: what can be read is painted first. An element names its own, in `data-script-soon` to get it as soon as the page has been painted, or in `data-script-seen`, for
 * what is heavy, to get it when the element is about to be seen.
 */
export function startLate(): void {
  if (document.readyState === "complete") begin();
  else window.addEventListener("load", begin, { once: true });
}

function begin(): void {
  // After the frame that is being made, not in it.
  requestAnimationFrame(() => window.setTimeout(() => document.querySelectorAll<HTMLElement>("[data-script-soon]").forEach((one) => fetchFor(one, one.dataset.scriptSoon))));
  const watch = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (!isIntersecting || !(target instanceof HTMLElement)) continue;
        watch.unobserve(target);
        fetchFor(target, target.dataset.scriptSeen);
      }
    },
    { rootMargin: "200px" },
  );
  document.querySelectorAll<HTMLElement>("[data-script-seen]").forEach((one) => watch.observe(one));
}

function fetchFor(element: HTMLElement, script: string | undefined): void {
  if (script) import(/* @vite-ignore */ script).catch(() => element.classList.add("failed"));
}
