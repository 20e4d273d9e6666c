"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const data = JSON.parse($("data").textContent);
  const SEVERITIES = ["info", "minor", "major", "blocker"];

  // Elements are made from texts only: nothing of the machine is ever parsed as markup.
  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "class") element.className = value;
      else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value === true) element.setAttribute(name, "");
      else if (value !== false && value !== null) element.setAttribute(name, value);
    }
    element.append(...children.filter((child) => child !== null && child !== ""));
    return element;
  }

  // A text with what was searched for marked in it.
  function marked(text, words) {
    const parts = document.createDocumentFragment();
    const lower = text.toLowerCase();
    let at = 0;
    while (at < text.length) {
      let next = -1, length = 0;
      for (const word of words) {
        const found = lower.indexOf(word, at);
        if (found >= 0 && (next < 0 || found < next)) { next = found; length = word.length; }
      }
      if (next < 0) break;
      parts.append(text.slice(at, next), make("mark", {}, text.slice(next, next + length)));
      at = next + length;
    }
    parts.append(text.slice(at));
    return parts;
  }

  // Our own words may have `code` in them.
  function prose(words, search) {
    const parts = document.createDocumentFragment();
    words.split("`").forEach((part, at) => parts.append(at % 2 ? make("code", {}, part) : marked(part, search)));
    return parts;
  }

  const size = (bytes) => {
    const units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let unit = 0;
    while (bytes >= 1024 && unit < units.length - 1) { bytes /= 1024; unit += 1; }
    return `${unit ? bytes.toFixed(1) : bytes} ${units[unit]}`;
  };
  const plural = (count, one, many) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

  // ---- theme -------------------------------------------------------------------------------------------------------
  const theme = $("theme");
  const themes = ["system", "light", "dark"];
  const wear = (name) => {
    if (name === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = name;
    theme.textContent = `Theme: ${name}`;
    theme.dataset.now = name;
  };
  let stored = null;
  try { stored = localStorage.getItem("transvase-theme"); } catch { /* a file may have no storage */ }
  wear(themes.includes(stored) ? stored : "system");
  theme.hidden = false;
  theme.addEventListener("click", () => {
    const next = themes[(themes.indexOf(theme.dataset.now) + 1) % themes.length];
    wear(next);
    try { localStorage.setItem("transvase-theme", next); } catch { /* as above */ }
  });

  // ---- what if: a factor that is ticked costs nothing ----------------------------------------------------------------
  for (const fall of document.querySelectorAll(".fall")) {
    const rows = [...fall.querySelectorAll("li[data-points]")];
    const score = Number(fall.dataset.score), axis = Number(fall.dataset.axis);
    const share = (value) => (Math.min(100, Math.max(axis, value)) - axis) * 100 / Math.max(1, 100 - axis);
    const end = fall.querySelector(".end"), total = fall.querySelector(".to .after b"), sum = fall.querySelector(".sum");
    const said = fall.querySelector(".whatif");
    const add = () => {
      let left = 100;
      const terms = ["100"];
      for (const row of rows) {
        const mended = row.querySelector("input").checked, points = mended ? 0 : Number(row.dataset.points);
        row.classList.toggle("mended", mended);
        const bar = row.querySelector(".loss");
        const shown = Number(row.dataset.points);
        bar.setAttribute("x", `${Math.min(99.4, share(left - shown))}%`);
        bar.setAttribute("width", `${Math.max(0.6, share(left) - share(left - shown))}%`);
        left -= points;
        if (points) terms.push(`− ${points}`);
        row.querySelector(".after").lastChild.textContent = String(left);
      }
      const now = Math.max(0, left);
      total.textContent = String(now);
      sum.textContent = `${terms.join(" ")} = ${left}${left < 0 ? ", and no score is below 0" : ""}`;
      end.setAttribute("width", `${Math.max(0.6, share(now))}%`);
      said.textContent = now === score ? "" : `${score} would become ${now}.`;
    };
    for (const row of rows) {
      row.querySelector(".mend").hidden = false;
      row.querySelector("input").addEventListener("change", add);
    }
  }

  // ---- concerns ------------------------------------------------------------------------------------------------------
  const text = (number) => data.texts[number] ?? "";
  const kinds = data.kinds.map(([severity, rule, title, remedy, links]) =>
    ({ severity, rule: text(rule), title: text(title), remedy: text(remedy), links: links.map(text) }));
  const concerns = data.concerns.map(([kind, detail, workload, evidence]) => ({
    ...kinds[kind], detail: text(detail), workload: workload < 0 ? "" : text(workload),
    evidence: evidence.map(([path, place, excerpt]) => [text(path) + place, text(excerpt)]),
  }));
  for (const concern of concerns) {
    const seen = concern.evidence.map((place) => place.join(" "));
    concern.all = [concern.rule, concern.title, concern.detail, concern.workload, concern.remedy, ...seen].join("\n").toLowerCase();
  }
  const PAGE = 40;
  const list = $("list"), query = $("query"), of = $("of"), found = $("found"), unfold = $("unfold");
  const chosen = new Set([0, 1, 2, 3]);

  function time(concern, words) {
    const places = concern.evidence.slice(0, 6).map(([place, excerpt]) =>
      make("code", { class: "evidence" }, make("span", { class: "at" }, marked(place, words)), marked(excerpt, words)));
    const more = concern.evidence.length - places.length;
    const owner = concern.workload ? make("a", { href: `#w-${concern.workload}` }, concern.workload) : "the machine";
    return make("li", {}, owner, concern.detail ? ": " : "", marked(concern.detail, words), ...places,
      more > 0 ? make("span", { class: "why" }, `and ${plural(more, "place", "places")} more in scan.json`) : null);
  }

  // What a rule's group shows is made when it is first opened.
  function fill(group, items, words, most) {
    if (group.dataset.filled) return;
    group.dataset.filled = "yes";
    const first = items[0], rule = data.rules[first.rule];
    const times = make("ul", { class: "times" });
    const more = make("button", { type: "button" });
    let shown = 0;
    const next = (count) => {
      times.append(...items.slice(shown, shown + count).map((item) => time(item, words)));
      shown = Math.min(items.length, shown + count);
      more.hidden = shown === items.length;
      more.textContent = `Show ${Math.min(PAGE, items.length - shown)} of ${items.length - shown} more`;
    };
    more.addEventListener("click", () => next(PAGE));
    next(most);
    group.append(make("div", { class: "in" },
      make("p", {}, make("b", {}, "What to do: "), prose(first.remedy, words)),
      rule ? make("p", { class: "why" }, `Why it matters: ${rule[0]} What the rule cannot see: ${rule[1]}`) : null,
      ...first.links.map((link) => make("p", { class: "why" }, link)),
      times, more));
  }

  function whose(items) {
    const names = [...new Set(items.map((item) => item.workload || "the machine"))];
    return names.slice(0, 3).join(", ") + (names.length > 3 ? ` and ${names.length - 3} more` : "");
  }

  function show() {
    const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosenOf = of.value;
    const hits = concerns.filter((concern) => chosen.has(concern.severity)
      && (chosenOf === "" || (chosenOf === "\0" ? concern.workload === "" : concern.workload === chosenOf))
      && words.every((word) => concern.all.includes(word)));
    const groups = new Map();
    for (const hit of hits) {
      if (!groups.has(hit.rule)) groups.set(hit.rule, []);
      groups.get(hit.rule).push(hit);
    }
    list.replaceChildren(...[...groups].map(([rule, items]) => {
      const worst = SEVERITIES[items.reduce((most, item) => Math.max(most, item.severity), 0)];
      const group = make("details", { class: "rules" }, make("summary", {},
        make("span", { class: `sev s-${worst}` }, worst), make("b", {}, marked(items[0].title, words)),
        make("code", {}, marked(rule, words)), make("span", { class: "whose" }, whose(items)), make("span", { class: "n" }, String(items.length))));
      group.items = items;
      group.words = words;
      group.addEventListener("toggle", () => { if (group.open) fill(group, items, words, PAGE); });
      return group;
    }));
    // A narrow search wants to see, not to open.
    if (words.length && groups.size <= 3) for (const group of list.children) { group.open = true; fill(group, group.items, words, PAGE); }
    found.textContent = hits.length === concerns.length
      ? `${plural(hits.length, "concern", "concerns")} of ${plural(groups.size, "rule", "rules")}`
      : `${plural(hits.length, "concern", "concerns")} of ${concerns.length.toLocaleString("en")} match`;
    unfold.textContent = "Open all";
  }

  if (concerns.length) {
    const counts = [0, 0, 0, 0];
    for (const concern of concerns) counts[concern.severity] += 1;
    for (const severity of [3, 2, 1, 0]) {
      if (!counts[severity]) continue;
      const box = make("input", { type: "checkbox", checked: true, onchange: (event) => {
        if (event.target.checked) chosen.add(severity); else chosen.delete(severity);
        show();
      } });
      $("severities").append(make("label", { class: "chip" }, box,
        make("span", { class: `sev s-${SEVERITIES[severity]}` }, SEVERITIES[severity]), String(counts[severity])));
    }
    if (concerns.some((concern) => concern.workload === "")) of.append(make("option", { value: "\0" }, "The machine itself"));
    for (const id of data.workloads) of.append(make("option", { value: id }, id));
    $("filter").hidden = false;
    $("filter").addEventListener("submit", (event) => event.preventDefault());
    let waiting = 0;
    query.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(show, 80); });
    of.addEventListener("change", show);
    unfold.addEventListener("click", () => {
      const open = unfold.textContent === "Open all";
      for (const group of list.children) group.open = open;
      unfold.textContent = open ? "Close all" : "Open all";
    });
    show();
  }
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-rule], a[data-workload]");
    if (!link || !concerns.length) return;
    const card = link.closest(".card");
    query.value = link.dataset.rule ?? "";
    of.value = link.dataset.workload ?? (card ? card.id.slice(2) : "\0");
    if (of.selectedIndex < 0) of.value = "";
    show();
  });
  document.addEventListener("keydown", (event) => {
    const writing = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName);
    if (event.key === "/" && !writing && !event.ctrlKey && !event.metaKey) { event.preventDefault(); query.focus(); }
    if (event.key === "Escape" && document.activeElement === query) { query.value = ""; show(); }
  });

  // ---- a card that is linked to is open ------------------------------------------------------------------------------
  const reveal = () => {
    const target = location.hash.length > 1 && $(decodeURIComponent(location.hash.slice(1)));
    if (target && target.tagName === "DETAILS") { target.open = true; target.scrollIntoView(); }
  };
  window.addEventListener("hashchange", reveal);
  reveal();

  // ---- the map: what belongs to a workload stays lit ------------------------------------------------------------------
  for (const svg of document.querySelectorAll(".map svg")) {
    const parts = [...svg.querySelectorAll("[data-workload], [data-from]")];
    const light = (id) => {
      for (const part of parts) {
        const { workload, from, to } = part.dataset;
        part.classList.toggle("dim", Boolean(id) && ![workload, from, to].includes(id));
      }
    };
    svg.addEventListener("pointerover", (event) => light(event.target.closest("[data-workload]")?.dataset.workload || ""));
    svg.addEventListener("pointerleave", () => light(""));
    svg.addEventListener("click", (event) => {
      const id = event.target.closest("[data-workload]")?.dataset.workload;
      if (id) { location.hash = `w-${id}`; reveal(); }
    });
  }

  // ---- what a workload asks of the kernel: made when it is first opened ---------------------------------------------------
  const chips = (values) => values.map((value) => make("code", {}, text(value)));
  function fillKernel(part) {
    if (part.dataset.filled) return;
    part.dataset.filled = "yes";
    const [lists, asks, places] = data.kernels[Number(part.dataset.kernel)];
    const listed = make("dl", { class: "chips" });
    for (const [name, count, many, values] of lists) {
      listed.append(make("dt", {}, text(name)), make("dd", {},
        ...(many ? [make("details", {}, make("summary", {}, String(count)), ...chips(values))] : chips(values))));
    }
    const own = make("div", {}, listed);
    if (asks.length) {
      own.append(make("h4", {}, "Asked for by its own code"), make("ul", { class: "notes" }, ...asks.map(([what, does, capability, place]) =>
        make("li", {}, make("code", {}, text(what)), ` ${text(does)}${text(capability) && ` (${text(capability)})`}, at `, make("code", {}, text(place))))));
    }
    const given = places.map(([title, fits, add, count, refused]) => make("li", {}, make("b", {}, text(title)), " ",
      make("span", { class: `pill ${fits ? "v-container" : "v-keep-vm"}` }, fits ? "gives what it asks for" : "does not give it all"),
      ...add.map((what) => make("p", {}, `add ${text(what)}`)),
      count ? make("details", {}, make("summary", {}, `${plural(count, "call", "calls")} that its code could make ${count === 1 ? "is" : "are"} refused there`),
        ...chips(refused), refused.length < count ? ` and ${count - refused.length} more in scan.json` : "") : null));
    part.append(make("div", { class: "pair" }, own,
      given.length ? make("div", {}, make("h4", {}, "Against what each place gives"), make("ul", { class: "places" }, ...given)) : null));
  }
  for (const part of document.querySelectorAll("[data-kernel]")) {
    part.hidden = false;
    part.addEventListener("toggle", () => { if (part.open) fillKernel(part); });
  }

  // ---- packages ------------------------------------------------------------------------------------------------------
  const packages = $("packages");
  if (data.packages.length) {
    packages.hidden = false;
    const body = packages.querySelector("tbody"), name = $("package"), which = $("which");
    const some = 200;
    const fillPackages = () => {
      const word = name.value.toLowerCase();
      const hits = data.packages.filter((item) => item[0].toLowerCase().includes(word) && (which.value === "" || String(item[3] & 1) === which.value));
      hits.sort((a, b) => b[2] - a[2] || (a[0] < b[0] ? -1 : 1));
      body.replaceChildren(...hits.slice(0, some).map(([title, version, bytes, flags]) => make("tr", {},
        make("td", {}, make("code", {}, title), flags & 2 ? " (asked for)" : ""), make("td", {}, text(version)), make("td", {}, size(bytes)),
        make("td", {}, flags & 1 ? "yes" : "no"))));
      $("packages-found").textContent = plural(hits.length, "package", "packages")
        + (hits.length > some ? `, the ${some} largest shown` : "");
    };
    name.addEventListener("input", fillPackages);
    which.addEventListener("change", fillPackages);
    packages.addEventListener("toggle", () => { if (packages.open && !body.children.length) fillPackages(); });
  }

  // ---- files ---------------------------------------------------------------------------------------------------------
  async function copy(words) {
    try { await navigator.clipboard.writeText(words); return true; } catch { /* no clipboard for this page: the old way */ }
    const area = make("textarea", { class: "hidden" });
    area.value = words;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
  const files = $("file-list");
  if (files && data.files.length) {
    const code = make("code"), pre = make("pre", { tabindex: "0", role: "region", "aria-label": "Content" }, code);
    const title = make("b", { id: "file-name" }), said = make("span", { class: "hidden", role: "status" });
    const button = make("button", { type: "button", onclick: async () => {
      const done = await copy(code.textContent);
      button.textContent = done ? "Copied" : "Select it and copy";
      said.textContent = done ? `${title.textContent} is copied` : "The browser does not allow it";
      setTimeout(() => { button.textContent = "Copy"; }, 1600);
    } }, "Copy");
    const tabs = data.files.map(([path, content]) => {
      const tab = make("button", { type: "button", role: "tab", "aria-selected": "false", "aria-controls": "file", tabindex: "-1" }, path);
      tab.addEventListener("click", () => {
        for (const other of tabs) { other.setAttribute("aria-selected", String(other === tab)); other.tabIndex = other === tab ? 0 : -1; }
        title.textContent = path;
        code.textContent = content.map(text).join("\n");
        pre.scrollTop = 0;
      });
      return tab;
    });
    const tablist = make("div", { role: "tablist", "aria-label": "Files", "aria-orientation": "vertical" }, ...tabs);
    tablist.addEventListener("keydown", (event) => {
      const at = tabs.indexOf(document.activeElement);
      const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
      if (to === undefined || !tabs[to]) return;
      event.preventDefault();
      tabs[to].focus();
      tabs[to].click();
    });
    files.replaceChildren(make("div", { class: "viewer" }, tablist,
      make("div", { class: "shown", id: "file", role: "tabpanel", "aria-labelledby": "file-name" },
        make("header", {}, title, make("span", {}, said, button)), pre)));
    tabs[0].click();
  }

  // ---- print: what is closed on the screen is open on paper, within reason ------------------------------------------------
  let closed = [];
  window.addEventListener("beforeprint", () => {
    for (const group of list.querySelectorAll("details.rules")) fill(group, group.items, group.words, 8);
    closed = [...document.querySelectorAll("details:not([open])")].filter((part) => part.id !== "packages" && !part.dataset.kernel);
    for (const part of closed) part.open = true;
  });
  window.addEventListener("afterprint", () => { for (const part of closed) part.open = false; });

  // ---- which section is read ------------------------------------------------------------------------------------------
  const links = new Map([...document.querySelectorAll(".bar nav a")].map((link) => [link.hash.slice(1), link]));
  const watch = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      for (const link of links.values()) link.removeAttribute("aria-current");
      links.get(entry.target.id)?.setAttribute("aria-current", "true");
    }
  }, { rootMargin: "-20% 0px -70% 0px" });
  for (const id of links.keys()) watch.observe($(id));
})();
