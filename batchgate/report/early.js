// Before anything is drawn: the theme that was chosen here before, and what pytest-html leaves out.
(() => {
  const root = document.documentElement;
  root.lang = "en";
  root.classList.add("bg-scripted");
  try {
    const theme = localStorage.getItem("batchgate-theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  } catch (refused) {
    // A viewer without storage follows the system.
  }
})();
