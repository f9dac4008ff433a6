"use strict";
// The page's data is other people's text. It reaches the document as text nodes and as encoded parts of links alone.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const PAGE = 200;
  const $ = (id) => document.getElementById(id);
  const format = new Intl.NumberFormat("en");

  const el = (name, attributes, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) if (value) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };
  // Other people's text keeps its direction to itself.
  const said = (words) => el("bdi", {}, words);

  // The console takes up to 64 characters; the role stands first, so that a long name does not hide it.
  const shown = (name, role) => Array.from(role + " " + name).slice(0, 64).join("");
  const link = (id, name, role, color) =>
    "https://signin.aws.amazon.com/switchrole?" + [
      ["roleName", role], ["account", id], ["displayName", shown(name, role)], ...(color ? [["color", color[1]]] : []),
    ].map(([key, value]) => key + "=" + encodeURIComponent(value)).join("&");

  const entry = ([id, name, , offer, tint]) => {
    const [roles, inConsole] = data.offers[offer];
    const color = tint === null ? undefined : data.colors[tint];
    const links = inConsole
      ? roles.map((role) => el("a", { href: link(id, name, role, color), target: "_blank", rel: "noopener noreferrer", "aria-label": role + " in " + name }, said(role)))
      : [el("small", {}, roles.join(", ") + ": by programs alone, with an external id")];
    return el("li", { class: color && color[0] }, el("p", {}, el("span", { class: "name" }, said(name)), " ", el("code", {}, id)), el("div", { class: "roles" }, ...links));
  };

  const haystacks = data.accounts.map(([id, name, unit, offer]) =>
    [id, name, data.units[unit], ...data.offers[offer][0]].join("\n").toLowerCase());
  let found = [];
  let drawn = 0;

  // Accounts come by unit: a heading stands where another one begins.
  const draw = () => {
    let list = drawn ? $("list").lastElementChild : undefined;
    for (const end = Math.min(found.length, drawn + PAGE); drawn < end; drawn++) {
      const account = data.accounts[found[drawn]];
      if (!list || data.accounts[found[drawn - 1]][2] !== account[2]) {
        list = el("ul", {});
        $("list").append(el("h2", {}, said(data.units[account[2]])), list);
      }
      list.append(entry(account));
    }
    $("more").hidden = drawn >= found.length;
  };
  const search = () => {
    const terms = $("q").value.toLowerCase().split(/\s+/).filter(Boolean);
    found = [];
    haystacks.forEach((text, place) => { if (terms.every((term) => text.includes(term))) found.push(place); });
    $("list").replaceChildren();
    drawn = 0;
    draw();
    const all = format.format(data.accounts.length) + (data.accounts.length === 1 ? " account" : " accounts");
    $("count").textContent = found.length === data.accounts.length ? all : format.format(found.length) + " of " + all;
  };

  $("filters").hidden = data.accounts.length === 0;
  let waiting;
  $("q").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(search, 80); });
  $("filters").addEventListener("submit", (event) => { event.preventDefault(); clearTimeout(waiting); search(); });
  $("more").addEventListener("click", () => {
    const next = drawn;
    draw();
    // The focus goes on with the first of what has come.
    const links = $("list").querySelectorAll("li");
    const first = links[next] && links[next].querySelector("a");
    if (first) first.focus();
  });
  search();
  document.documentElement.dataset.drawn = String(performance.now());
})();
