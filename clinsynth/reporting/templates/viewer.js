"use strict";
// on a phone the contents would fill the first screen
if (matchMedia("(max-width: 64rem)").matches) document.querySelector("nav details").open = false;
// filters of the viewer; without this script all documents are shown
for (const viewer of document.querySelectorAll(".viewer")) {
  const form = viewer.querySelector("form");
  const articles = [...viewer.querySelectorAll("article")].map((element) => ({
    element,
    text: element.textContent.toLowerCase(),
    items: element.dataset.items.split("\n").filter(Boolean).map((item) => {
      const at = item.indexOf("|");
      return { kind: item.slice(0, at), label: item.slice(at + 1) };
    }),
  }));
  const filter = () => {
    const given = new FormData(form);
    const kinds = given.getAll("kind");
    const label = given.get("label");
    const text = given.get("text").trim().toLowerCase();
    let shown = 0;
    for (const article of articles) {
      const fits =
        (!kinds.length && !label) ||
        article.items.some(
          (item) => (!kinds.length || kinds.includes(item.kind)) && (!label || item.label === label),
        );
      article.element.hidden = !(fits && article.text.includes(text));
      shown += !article.element.hidden;
    }
    form.querySelector("output").textContent = `${shown} of ${articles.length} documents`;
  };
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));
  form.hidden = false;
  filter();
}
