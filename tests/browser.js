// What tests ask of a page in a browser: each function returns what is wrong, or one value.

const isVisible = (element) =>
  element.checkVisibility({ opacityProperty: true, visibilityProperty: true });

// A place as a reader of a failed test finds it again.
const placeOf = (element) => {
  const parts = [];
  for (let each = element; each && each !== document.body; each = each.parentElement) {
    const named = each.id ? `#${each.id}` : [each.localName, ...each.classList].join(".");
    parts.unshift(named);
    if (each.id) break;
  }
  const words = element.textContent.trim().replace(/\s+/g, " ").slice(0, 40);
  return `${parts.join(" > ")}: ${words}`;
};

// Lay out what a browser puts off until it is scrolled to: it has neither width nor text before.
const layOut = () => {
  for (const each of document.querySelectorAll("*"))
    if (getComputedStyle(each).contentVisibility === "auto")
      each.style.contentVisibility = "visible";
};

const details = () => [...document.querySelectorAll("details")];

// Show every test's row, then what is in it, then whatever else is folded.
const unfold = () => {
  document
    .querySelectorAll("input[data-test-result]:not(:checked):not(:disabled)")
    .forEach((box) => box.click());
  document.getElementById("show_all_details")?.click();
  unfoldDetails();
};

const unfoldDetails = () => {
  details().forEach((each) => (each.open = true));
  layOut();
};

const folded = () =>
  details()
    .flatMap((each) => [...each.children].filter((child) => child.localName !== "summary"))
    .filter((child) => child.textContent.trim() && !isVisible(child))
    .map(placeOf);

const sideways = (width) => {
  layOut();
  const root = document.documentElement;
  const wrong = [root, document.body]
    .filter((each) => ["hidden", "clip"].includes(getComputedStyle(each).overflowX))
    .map((each) => `${each.localName} hides what is too wide`);
  if (innerWidth !== width) wrong.push(`laid out ${innerWidth} wide`);
  if (root.scrollWidth <= root.clientWidth) return wrong;
  const scrolls = (each) => ["auto", "scroll"].includes(getComputedStyle(each).overflowX);
  const inside = (each) => each && (scrolls(each) || inside(each.parentElement));
  const wide = [...document.body.querySelectorAll("*")].filter(
    (each) =>
      each.getBoundingClientRect().right > root.clientWidth + 0.5 && !inside(each.parentElement),
  );
  return [...wrong, `${root.scrollWidth} wide`, ...wide.slice(-5).map(placeOf)];
};

// The tests of the page write `pwned=` into everything; none of it may become an element.
const strangers = () => {
  const found = "pwned" in window ? [`a script ran: ${window.pwned}`] : [];
  for (const each of document.querySelectorAll("*")) {
    const broken = [...each.attributes].some(
      ({ name, value }) => /["'<>`]/.test(name) || (name.startsWith("on") && /pwned/.test(value)),
    );
    const script = each.localName === "script" && /^\s*pwned=/.test(each.textContent);
    if (broken || script || each.matches('img[src="x"]')) found.push(placeOf(each));
  }
  return found;
};

const text = (selector) => {
  layOut();
  return [...document.querySelectorAll(selector)]
    .map((each) => each.innerText)
    .join("\n")
    .toWellFormed();
};

const unseen = () => {
  layOut();
  return [...document.body.innerText.matchAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu)]
    .map(([sign]) => sign)
    .filter((sign) => !["\n", "\t"].includes(sign))
    .map((sign) => `U+${sign.codePointAt(0).toString(16)}`);
};

const links = (selector) =>
  [...document.querySelectorAll(`${selector} a`)].map((link) => link.getAttribute("href") ?? "");

const targetOf = (link) => document.getElementById(decodeURIComponent(link.slice(1)));

const deadLinks = () =>
  links("body").filter((link) => link.startsWith("#") && link !== "#" && !targetOf(link));

// Whether what a link leads to is at hand: unfolded, on the screen, and under nothing else.
const isInView = (link) => {
  const target = targetOf(link);
  const box = target.getBoundingClientRect();
  const top = document.elementFromPoint(box.left + 15, box.top + Math.min(box.height, 20) / 2);
  return isVisible(target) && top !== null && (target.contains(top) || top.contains(target));
};

// Put the focus on the element, or on the first in it that takes it.
const focusOn = (selector, number = 0) => {
  const element = document.querySelectorAll(selector)[number];
  const takers = [element, ...element.querySelectorAll("a[href], button, summary, [tabindex]")];
  return takers.some((each) => {
    each.focus();
    return document.activeElement === each;
  });
};

const rgba = (color) => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d");
  canvas.fillStyle = color;
  canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data];
};

const isGreen = (color) => {
  const [red, green, blue, alpha] = rgba(color);
  return alpha > 12 && green > red + 8 && green > blue + 4;
};

// The colours of a box, of its heading and of the signs in that, as they are painted.
const greens = (selector) => {
  const box = document.querySelector(selector);
  const heading = box.querySelector("h1, h2, h3");
  const elements = [box, ...(heading ? [heading, ...heading.querySelectorAll("*")] : [])];
  return elements.flatMap((element) =>
    [null, "::before", "::after"].flatMap((pseudo) => {
      const style = getComputedStyle(element, pseudo);
      if (pseudo && style.content === "none") return [];
      const borders = ["Top", "Right", "Bottom", "Left"]
        .filter((side) => parseFloat(style[`border${side}Width`]) > 0)
        .map((side) => style[`border${side}Color`]);
      return [style.color, style.backgroundColor, style.fill, ...borders].filter(isGreen);
    }),
  );
};

const lightness = () => {
  for (const each of [document.body, document.documentElement]) {
    const [red, green, blue, alpha] = rgba(getComputedStyle(each).backgroundColor);
    if (alpha) return (red + green + blue) / 765;
  }
  return matchMedia("(prefers-color-scheme: dark)").matches &&
    getComputedStyle(document.documentElement).colorScheme.includes("dark")
    ? 0
    : 1;
};

const log = () => [...document.querySelectorAll("#results-table > tbody.results-table-row")];

const rowsOfLog = () => log().filter((row) => row.querySelector(".col-result")).length;

const namesOfLog = () => log().map((row) => row.querySelector(".col-testId")?.innerText);

const sortBy = (column) => {
  document.querySelector(`#results-table th[data-column-type="${column}"]`).click();
  return namesOfLog();
};

const takeLog = () => {
  const words = log().map((row) => row.innerText.toWellFormed());
  document.getElementById("results-table").remove();
  return words;
};

const brokenRules = (rules) =>
  axe
    .run(document, { runOnly: rules, resultTypes: ["violations"] })
    .then(({ violations }) =>
      violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target}`)),
    );

// Times are in milliseconds, up to the frame in which a thing is painted.
const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));

const loadedAll = async () => {
  while (!window.loadedAfter) await painted();
  return window.loadedAfter;
};

const clicked = async (selector) => {
  const element = document.querySelector(selector);
  if (!element) return null;
  const before = performance.now();
  element.click();
  await painted();
  return performance.now() - before;
};
