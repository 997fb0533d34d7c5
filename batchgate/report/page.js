// The page is complete without this: it adds what only a script can do.
(() => {
  const root = document.documentElement;
  const one = (selector) => document.querySelector(selector);
  const all = (selector) => [...document.querySelectorAll(selector)];

  // The title is a part of the header.
  one(".bg-head").prepend(one("#title"));

  const buttons = one(".bg-buttons");
  buttons.hidden = false;

  const expand = one("#bg-expand");
  const parts = () => all(".bg-page details");
  expand.addEventListener("click", () => {
    const open = expand.textContent === "Expand all";
    for (const part of parts()) part.open = open;
    expand.textContent = open ? "Collapse all" : "Expand all";
  });

  const dark = matchMedia("(prefers-color-scheme: dark)");
  one("#bg-theme").addEventListener("click", () => {
    const now = root.dataset.theme || (dark.matches ? "dark" : "light");
    root.dataset.theme = now === "dark" ? "light" : "dark";
    try {
      localStorage.setItem("batchgate-theme", root.dataset.theme);
    } catch (refused) {
      // It lasts as long as the page is open.
    }
  });

  // On paper nothing can be unfolded.
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = parts().filter((part) => !part.open);
    for (const part of folded) part.open = true;
  });
  addEventListener("afterprint", () => {
    for (const part of folded) part.open = false;
    folded = [];
  });
})();
