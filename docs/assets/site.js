// What the theme leaves out: the keyboard reaches what scrolls by itself, and the search has a name.
const mend = () => {
  document.querySelectorAll(".md-typeset__scrollwrap, .md-typeset pre > code").forEach((region) => {
    region.tabIndex = 0
  })
  document.querySelector("[data-md-component=search]")?.setAttribute("aria-label", "Search")
}
mend()
new MutationObserver(mend).observe(document.body, { childList: true, subtree: true })
