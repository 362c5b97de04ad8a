// Finds places by name without diacritics; the query comes from the address (?q=) and from the box while it is typed.
"use strict";

const fold = (text) => text.toLowerCase().replace(/đ/g, "d").normalize("NFD").replace(/[\u0300-\u036f]/g, "");
const words = (text) => fold(text).split(/[^a-z0-9]+/).filter(Boolean);
let current = null;
const places = window.PLACES.split("\n").map((line) => {
  // A line that begins with a slash is a province, the others are its communes.
  const [at, name, told = "", state = "", former = ""] = line.split("|");
  const isProvince = at.startsWith("/");
  const kind = told || (isProvince ? "" : "Xã");
  const plain = ` ${words(`${kind} ${name} ${former}`).join(" ")}`;
  const place = { page: isProvince ? at.slice(1) : `xa-${at}`, name, kind, former, plain, state: state || "shown" };
  place.province = isProvince ? null : current;
  if (isProvince) current = place;
  return place;
});

const box = document.getElementById("q");
const status = document.getElementById("found");
const results = document.getElementById("results");

const entry = (place) => {
  const item = document.createElement("li");
  const link = document.createElement("a");
  link.href = `${place.page}.html`;
  link.textContent = `${place.kind} ${place.name}`.trim();
  item.append(link);
  const said = [];
  if (place.province) said.push(place.province.name);
  if (place.former) said.push(`${status.dataset.former} ${place.former}`);
  if (place.state !== "shown") said.push(status.dataset[place.state]);
  if (said.length) item.append(` · ${said.join(" · ")}`);
  return item;
};

const show = () => {
  const wanted = words(box.value);
  const joined = wanted.join(" ");
  const found = wanted.length
    ? places.filter((place) => {
        const all = place.plain + (place.province ? ` ${words(place.province.name).join(" ")}` : "");
        return wanted.every((word) => all.includes(` ${word}`));
      })
    : [];
  // The name itself before names that hold it, provinces before communes.
  const rank = (place) => {
    const name = words(place.name).join(" ");
    return (name === joined ? 0 : name.startsWith(joined) ? 2 : 4) + (place.province ? 1 : 0);
  };
  found.sort((a, b) => rank(a) - rank(b));
  results.replaceChildren(...found.slice(0, 100).map(entry));
  if (!wanted.length) status.textContent = "";
  else if (!found.length) status.textContent = status.dataset.nothing;
  else status.textContent = `${found.length} ${status.dataset.some}${found.length > 100 ? `, ${status.dataset.first}` : ""}`;
};

box.value = new URLSearchParams(location.search).get("q") || "";
box.addEventListener("input", show);
show();
