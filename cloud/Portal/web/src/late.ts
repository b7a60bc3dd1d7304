/**
 * Scripts that a page is useful without, and that weigh more than the rest of it: an element names its own in `data-script` and gets it once the page has loaded and the element is about to be seen.
 */
export function startLate(): void {
  const watch = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (!isIntersecting || !(target instanceof HTMLElement) || !target.dataset.script) continue;
        watch.unobserve(target);
        import(/* @vite-ignore */ target.dataset.script).catch(() => target.classList.add("failed"));
      }
    },
    { rootMargin: "200px" },
  );
  const begin = (): void => document.querySelectorAll<HTMLElement>("[data-script]").forEach((one) => watch.observe(one));
  if (document.readyState === "complete") begin();
  else window.addEventListener("load", begin, { once: true });
}
