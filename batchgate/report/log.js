// Runs before pytest-html's script, which keeps its state in the address and in the session's
// storage: a viewer that shows the page in a frame of its own denies both. Here they are variables.
{
  const Address = window.URL;
  const kept = new Map();
  let shown = `page:log${location.search}`;
  window.URL = class extends Address {
    constructor(address, base) {
      super(address === location.href ? shown : address, base);
    }
  };
  history.pushState = (state, title, address) => {
    shown = address;
  };
  Object.defineProperty(window, "sessionStorage", {
    value: {
      getItem: (name) => kept.get(name) ?? null,
      setItem: (name, value) => kept.set(name, String(value)),
    },
  });
  // Of a row that it draws, as many as there are at each click, it looks for no more than this.
  const row = document.getElementById("template_results-table__tbody");
  row.content.querySelector(".extra").innerHTML =
    '<div class="media"></div><div class="logexpander"></div><div class="log"></div>';
}

// Once it has drawn its table, both move to where they are told of.
document.addEventListener("DOMContentLoaded", () => {
  const place = document.getElementById("log-table");
  const controls = document.querySelector(".controls");
  const filters = [...document.querySelectorAll("input.filter")];
  for (const filter of filters) {
    const label = document.createElement("label");
    const words = filter.nextElementSibling;
    words.textContent = words.textContent.replace(/,$/, "");
    filter.before(label);
    label.append(filter, words);
    label.hidden = filter.disabled;
  }
  const used = filters.filter((each) => !each.disabled).length;
  controls.firstElementChild.hidden = used < 2;
  place.hidden = used === 0;
  place.append(controls, document.getElementById("results-table"));

  // What tests said is there once, for who has no script, too.
  const unscripted = document.getElementById("log-unscripted").textContent;
  const said = new DOMParser().parseFromString(unscripted, "text/html");
  const open = new Set();
  const fold = (row, shown = open.has(row.id)) => {
    const button = row.querySelector("button");
    if (!button) return;
    const cell = row.querySelector(".extra");
    button.setAttribute("aria-expanded", shown);
    cell.parentElement.classList.toggle("hidden", !shown);
    if (shown && !cell.querySelector("pre")) {
      cell.append(document.importNode(said.getElementById(`said-${row.id}`), true));
    }
  };
  const rows = () => [...place.querySelectorAll(".results-table-row")];
  const dress = () => {
    for (const head of place.querySelectorAll(".sortable")) {
      const order = ["asc", "desc"].find((name) => head.classList.contains(name));
      head.setAttribute("aria-sort", order ? `${order}ending` : "none");
    }
    rows().forEach((row) => fold(row));
  };
  new MutationObserver(dress).observe(place, { childList: true });
  dress();

  // Rows are folded here: pytest-html would draw all of them anew.
  const clicked = (event) => {
    const within = (selector) => event.target.closest(selector);
    const row = within(".collapsible")?.closest(".results-table-row");
    const head = within(".sortable");
    if (row) {
      if (!open.delete(row.id)) open.add(row.id);
      fold(row);
    } else if (within("#show_all_details, #hide_all_details")) {
      open.clear();
      if (within("#show_all_details")) rows().forEach((each) => open.add(each.id));
      rows().forEach((row) => fold(row));
    } else if (head && head !== event.target) {
      // It looks at the element that was clicked, and moves the heads to a new table.
      head.click();
      event.target.focus();
    } else {
      return;
    }
    event.stopPropagation();
  };
  place.addEventListener("click", clicked, true);
  // Paper cannot be unfolded.
  addEventListener("beforeprint", () => rows().forEach((row) => fold(row, true)));
  addEventListener("afterprint", () => rows().forEach((row) => fold(row)));
});
