"use strict";
// The page's data is other people's text. It reaches the document as text nodes alone, never as markup.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const WORDS = { c: "Compliant", f: "Fixed", d: "Drifted", v: "Not converged", r: "Not ready", u: "Unknown", e: "Exempt", s: "Skipped", n: "Not checked" };
  const SYMBOLS = { c: "✓", f: "+", d: "≠", v: "!", r: "…", u: "?", e: "○", s: "–", n: "·" };
  // What is told first of an account in which several things are wrong.
  const WORST = ["d", "v", "r", "u"];
  const PAGE = 200;
  const $ = (id) => document.getElementById(id);
  const text = (place) => data.texts[place];
  const format = new Intl.NumberFormat("en");
  const count = (number, one, many) => format.format(number) + " " + (number === 1 ? one : many);

  const el = (name, attributes, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
    }
    made.append(...children.filter((child) => child !== undefined && child !== ""));
    return made;
  };
  // Other people's text keeps its direction to itself.
  const said = (words) => el("bdi", {}, words);

  const detailsOf = new Map();
  const details = (account) => {
    let found = detailsOf.get(account);
    if (!found) detailsOf.set(account, (found = new Map((account.d || []).map((detail) => [detail.c, detail]))));
    return found;
  };

  // Filtering.

  const state = { q: "", outcome: "", control: "", unit: "", fresh: false, page: 0 };
  const haystacks = new Map();
  const haystack = (account) => {
    let found = haystacks.get(account);
    if (found === undefined) {
      const tags = (account.t || []).map(text).join("\n");
      found = [account.n, account.i, account.e, data.units[account.u], tags].join("\n").toLowerCase();
      haystacks.set(account, found);
    }
    return found;
  };
  const cellMatches = (account, column) =>
    (state.outcome === "" || state.outcome[0] === "=" || account.c[column] === state.outcome)
    && (!state.fresh || Boolean(details(account).get(column)?.k));
  const matches = (account, terms) => {
    if (state.unit !== "" && !isWithin(path(account.u), state.unit)) return false;
    if (state.outcome[0] === "=" && account.g !== state.outcome[1]) return false;
    if (!terms.every((term) => haystack(account).includes(term))) return false;
    const wholeAccount = account.c === "";
    if (wholeAccount) {
      const letter = account.w === undefined ? "u" : "n";
      return (state.outcome === "" || state.outcome[0] === "=" || state.outcome === letter) && (!state.fresh || Boolean(account.k));
    }
    if (state.control !== "") return cellMatches(account, Number(state.control));
    if ((state.outcome === "" || state.outcome[0] === "=") && !state.fresh) return true;
    for (let column = 0; column < data.controls.length; column++) if (cellMatches(account, column)) return true;
    return false;
  };
  // A unit holds the units below it. The root has no name of its own.
  const path = (place) => data.units[place] || "/";
  const isWithin = (inner, outer) => inner === outer || inner.startsWith(outer.endsWith("/") ? outer : outer + "/");
  const withParents = (unit) => {
    const parts = unit.split("/").filter(Boolean);
    return parts.length ? parts.map((_, place) => "/" + parts.slice(0, place + 1).join("/")) : ["/"];
  };

  // The table.

  const symbol = (letter, extra) => el("span", { class: "cell " + letter, "aria-hidden": "true", ...extra }, SYMBOLS[letter]);
  const firstFinding = (account, columns) => {
    if (account.c === "") return undefined;
    for (const letter of WORST) {
      const column = columns.find((place) => account.c[place] === letter);
      if (column !== undefined) return column;
    }
    return undefined;
  };
  const headline = (letter, detail) => {
    if (!detail) return WORDS[letter];
    if (detail.p) return text(detail.p[0]) + (detail.p.length > 1 ? " (and " + (detail.p.length - 1) + " more)" : "");
    if (detail.f !== undefined) return text(data.failures[detail.f][1]) || text(data.failures[detail.f][0]);
    if (detail.a) return text(detail.a[0]) + (detail.a.length > 1 ? " (and " + (detail.a.length - 1) + " more)" : "");
    if (detail.w !== undefined) return text(detail.w);
    return WORDS[letter];
  };
  const cell = (account, column) => {
    const letter = account.c[column];
    const detail = details(account).get(column);
    if (!detail) return el("td", {}, symbol(letter), el("span", { class: "sr" }, WORDS[letter]));
    const button = el("button", { type: "button", class: "cell " + letter + (detail.k ? " new" : "") },
      el("span", { "aria-hidden": "true" }, SYMBOLS[letter]),
      el("span", { class: "sr" }, data.controls[column] + ": " + WORDS[letter] + (detail.k ? ", new" : "")));
    button.title = WORDS[letter] + ": " + headline(letter, detail);
    button.onclick = () => showCell(account, column);
    return el("td", {}, button);
  };
  const row = (account, columns) => {
    const name = el("button", { type: "button" }, said(account.n || account.i));
    name.onclick = () => showAccount(account);
    const who = el("th", { scope: "row", class: "who" }, name,
      el("span", { class: "sub" }, el("code", {}, account.i), el("small", { title: account.e }, said(account.e))));
    if (account.c === "") {
      const letter = account.w === undefined ? "u" : "n";
      const why = account.w === undefined ? text(data.failures[account.f][1]) : text(account.w);
      return el("tr", {}, who, el("td", { class: "across", colspan: columns.length + 1 }, symbol(letter),
        el("span", {}, el("strong", {}, WORDS[letter] + ". "), said(why), account.k ? " " : "", account.k ? el("span", { class: "word fresh" }, "new") : "")));
    }
    const worst = firstFinding(account, columns);
    const first = el("td", { class: "first" });
    if (worst !== undefined) {
      const detail = details(account).get(worst);
      const others = columns.filter((column) => WORST.includes(account.c[column])).length - 1;
      first.append(el("span", { class: "text", dir: "auto" }, headline(account.c[worst], detail)));
      const since = detail?.b === undefined ? "" : data.times[detail.b][1];
      const more = others > 0 ? count(others, "more finding", "more findings") : "";
      first.append(el("small", {}, [since, more].filter(Boolean).join(" · ")));
    }
    return el("tr", {}, who, ...columns.map((column) => cell(account, column)), first);
  };
  const head = (columns) => el("thead", {}, el("tr", {},
    el("th", { scope: "col", class: "who" }, "Account"),
    ...columns.map((column) => el("th", { scope: "col", class: "col", title: data.controls[column] }, el("span", {}, data.controls[column]))),
    el("th", { scope: "col", class: "first" }, "First finding, open for")));

  let found = data.accounts;
  let perUnit = new Map();
  const pages = () => Math.max(1, Math.ceil(found.length / PAGE));
  const draw = () => {
    const columns = state.control === "" ? data.controls.map((_, column) => column) : [Number(state.control)];
    const table = $("table");
    const shown = found.slice(state.page * PAGE, (state.page + 1) * PAGE);
    const parts = [el("caption", { class: "sr" }, "Accounts by organizational unit, and what each control came to"), head(columns)];
    let body;
    let unit;
    for (const account of shown) {
      if (account.u !== unit) {
        unit = account.u;
        const [all, wrong] = perUnit.get(unit);
        body = el("tbody", {}, el("tr", { class: "unit" }, el("th", { scope: "rowgroup", class: "unit", colspan: columns.length + 2 },
          said(path(unit)), " ", el("small", {}, count(all, "account", "accounts") + (wrong ? ", " + format.format(wrong) + " not compliant" : "")))));
        parts.push(body);
      }
      body.append(row(account, columns));
    }
    if (!shown.length) parts.push(el("tbody", {}, el("tr", {}, el("td", { class: "across", colspan: columns.length + 2 }, "No account is like that."))));
    table.replaceChildren(...parts);
    for (const nav of [$("pages"), $("pages-below")]) drawPages(nav);
    $("pages-below").hidden = shown.length < 20;
  };
  const drawPages = (nav) => {
    if (pages() === 1) return nav.replaceChildren();
    const step = (words, by) => {
      const button = el("button", { type: "button" }, words);
      button.disabled = state.page + by < 0 || state.page + by >= pages();
      button.onclick = () => {
        state.page += by;
        draw();
        announce();
        $("matrix").scrollTop = 0;
        // The pressed button was drawn anew; the focus stays where it was.
        const again = nav.querySelectorAll("button")[by < 0 ? 0 : 1];
        (again.disabled ? nav.querySelectorAll("button")[by < 0 ? 1 : 0] : again).focus();
      };
      return button;
    };
    nav.replaceChildren(step("← Previous", -1), el("span", {}, "Page " + format.format(state.page + 1) + " of " + format.format(pages())), step("Next →", 1));
  };
  const announce = () => {
    const all = found.length === data.accounts.length;
    const words = all ? count(found.length, "account", "accounts") : format.format(found.length) + " of " + count(data.accounts.length, "account", "accounts");
    $("count").textContent = words + (pages() > 1 ? ", " + format.format(state.page * PAGE + 1) + " to " + format.format(Math.min(found.length, (state.page + 1) * PAGE)) + " shown" : "");
  };
  const apply = () => {
    const terms = state.q.toLowerCase().split(/\s+/).filter(Boolean);
    found = data.accounts.filter((account) => matches(account, terms));
    perUnit = new Map();
    for (const account of found) {
      const numbers = perUnit.get(account.u) || [0, 0];
      perUnit.set(account.u, [numbers[0] + 1, numbers[1] + (account.g === "d" ? 1 : 0)]);
    }
    state.page = 0;
    $("matrix").scrollTop = 0;
    draw();
    announce();
  };

  // What a cell or an account has to say.

  const dialog = $("dialog");
  const open = (title, subtitle, body) => {
    const close = el("button", { type: "button" }, "Close");
    close.onclick = () => dialog.close();
    dialog.replaceChildren(
      el("div", { class: "head" }, el("div", {}, el("h2", { id: "dialog-title" }, ...title), el("p", {}, ...subtitle)), close),
      el("div", { class: "body" }, body));
    dialog.showModal();
    dialog.scrollTop = 0;
  };
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  const pair = (list, term, ...what) => list.append(el("dt", {}, term), el("dd", {}, ...what));
  const items = (places) => el("ul", {}, ...places.map((place) => el("li", { dir: "auto" }, text(place))));
  const since = (place) => data.times[place][0] + (data.times[place][1] === "this sweep" ? " (new in this sweep)" : " (" + data.times[place][1] + ")");
  const verdict = (list, letter, isNew) => pair(list, "Outcome", el("span", { class: "verdict" }, symbol(letter), WORDS[letter], isNew ? el("span", { class: "word fresh" }, "new") : ""));
  const failure = (list, place) => {
    const [cause, message, remedy, retryable] = data.failures[place];
    if (text(cause)) pair(list, "Cause", el("code", {}, text(cause)));
    if (text(message)) pair(list, "What happened", said(text(message)));
    if (text(remedy)) pair(list, "Remedy", said(text(remedy)));
    pair(list, "Trying again", retryable ? "The next sweep can go better by itself." : "The next sweep comes to the same, until somebody acts.");
  };
  const lastKnown = (list, known) => {
    if (known.length) pair(list, "Last known", el("ul", {}, ...known.map(([control, words, time]) =>
      el("li", {}, el("strong", {}, said(text(control))), ": ", said(text(words)), ", since " + since(time)))));
  };
  const showCell = (account, column) => {
    const letter = account.c[column];
    const detail = details(account).get(column) || {};
    const list = el("dl");
    verdict(list, letter, detail.k);
    if (detail.b !== undefined) pair(list, "Since", since(detail.b));
    if (detail.x !== undefined) pair(list, "Exempt until", text(detail.x));
    if (detail.w !== undefined) pair(list, letter === "e" ? "Reason" : "Why", said(text(detail.w)));
    if (detail.p) pair(list, letter === "v" ? "What still differs" : "What would be changed", items(detail.p));
    if (detail.a) pair(list, "What was changed", items(detail.a));
    if (detail.f !== undefined) failure(list, detail.f);
    else if (letter === "d") pair(list, "Remedy", "Apply the baseline to the account, or exempt it from the control.");
    else if (letter === "v") pair(list, "Remedy", "Look for another program or policy that sets the same thing, then apply the baseline again.");
    if (detail.o) pair(list, "Notes", items(detail.o));
    lastKnown(list, (account.l || []).filter(([control]) => text(control) === data.controls[column]));
    open([said(data.controls[column])], [said(account.n), " ", el("code", {}, account.i), " in ", said(path(account.u))], list);
  };
  const showAccount = (account) => {
    const list = el("dl");
    if (account.c === "") {
      verdict(list, account.w === undefined ? "u" : "n", account.k);
      if (account.w !== undefined) pair(list, "Why", said(text(account.w)));
      if (account.b !== undefined) pair(list, "Since", since(account.b));
      if (account.f !== undefined) failure(list, account.f);
      lastKnown(list, account.l || []);
    }
    pair(list, "Mail address", said(account.e));
    pair(list, "Unit", said(path(account.u)));
    pair(list, "State", said(text(account.s)));
    if (account.t) pair(list, "Tags", ...account.t.map((place) => el("span", { class: "tag" }, said(text(place)))));
    if (account.c !== "") {
      const rows = data.controls.map((control, column) => {
        const letter = account.c[column];
        const detail = details(account).get(column);
        const words = el("span", {}, el("strong", {}, said(control)), ": " + WORDS[letter]);
        if (detail) words.append(". ", said(headline(letter, detail)));
        if (detail?.b !== undefined) words.append(" ", el("small", {}, "since " + since(detail.b)));
        return el("li", {}, symbol(letter), words);
      });
      pair(list, "Controls", el("ul", { class: "rows" }, ...rows));
    }
    open([said(account.n || account.i)], [el("code", {}, account.i)], list);
  };

  // The ways in.

  const fields = { q: $("q"), outcome: $("outcome"), control: $("control"), unit: $("unit"), fresh: $("fresh") };
  data.controls.forEach((control, place) => fields.control.append(el("option", { value: place }, control)));
  const units = new Set(data.units.flatMap((_, place) => withParents(path(place))));
  for (const unit of [...units].sort()) fields.unit.append(el("option", { value: unit }, unit));
  // The address names what is looked at, so that it can be handed on. A control goes by its name: places move.
  const remember = () => {
    const named = new URLSearchParams();
    for (const key of ["q", "outcome", "unit"]) if (state[key]) named.set(key, state[key]);
    if (state.control !== "") named.set("control", data.controls[state.control]);
    if (state.fresh) named.set("new", "1");
    try { history.replaceState(null, "", "#" + named); } catch { /* A frame without an address of its own. */ }
  };
  const recall = () => {
    const named = new URLSearchParams(location.hash.slice(1));
    for (const key of ["q", "outcome", "unit"]) if (named.has(key)) fields[key].value = named.get(key);
    const control = data.controls.indexOf(named.get("control"));
    if (control >= 0) fields.control.value = control;
    fields.fresh.checked = named.has("new");
    // A value that this page does not know selects nothing; that means everything.
    for (const key of ["outcome", "unit"]) fields[key].value ||= "";
  };
  const read = () => {
    for (const key of ["q", "outcome", "control", "unit"]) state[key] = fields[key].value;
    state.fresh = fields.fresh.checked;
    apply();
    remember();
  };
  let waiting;
  fields.q.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(read, 120); });
  for (const key of ["outcome", "control", "unit", "fresh"]) fields[key].addEventListener("change", read);
  $("filters").addEventListener("submit", (event) => { event.preventDefault(); read(); });
  $("clear").addEventListener("click", () => setTimeout(read));
  for (const link of document.querySelectorAll("[data-standing],[data-control],[data-account]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      $("filters").reset();
      if (link.dataset.standing) fields.outcome.value = "=" + link.dataset.standing;
      if (link.dataset.control) fields.control.value = link.dataset.control;
      if (link.dataset.account) fields.q.value = link.dataset.account;
      read();
      $("accounts").scrollIntoView();
      $("accounts").focus({ preventScroll: true });
    });
  }
  // The arrows go from finding to finding, so that nobody has to step through every one of them.
  $("table").addEventListener("keydown", (event) => {
    const here = event.target.closest("td, th");
    if (!here || !["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"].includes(event.key)) return;
    const along = event.key === "ArrowLeft" || event.key === "ArrowUp" ? "previousElementSibling" : "nextElementSibling";
    let next;
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      for (let at = here[along]; at && !next; at = at[along]) next = at.querySelector("button");
    } else {
      const all = [...$("table").querySelectorAll("tbody tr")];
      const by = event.key === "ArrowUp" ? -1 : 1;
      for (let at = all.indexOf(here.parentElement) + by; all[at] && !next; at += by) {
        if (all[at].className !== "unit") next = all[at].children[here.cellIndex]?.querySelector("button");
      }
    }
    if (next) {
      event.preventDefault();
      next.focus();
    }
  });

  for (const id of ["filters", "bar", "matrix"]) $(id).hidden = false;
  recall();
  read();
  addEventListener("hashchange", () => { if (location.hash.includes("=")) { $("filters").reset(); recall(); read(); } });
  document.documentElement.dataset.drawn = String(performance.now());
})();
