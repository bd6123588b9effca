// Back to a list: the row that one came from has the focus again, and the list is scrolled as it was.
const KEY = "list-positions"
const MAX = 20

const region = () => document.querySelector("[data-list] .table-scroll")
const address = () => location.pathname + location.search
const stored = () => JSON.parse(sessionStorage.getItem(KEY) ?? "[]")

function remember() {
  if (!document.querySelector("[data-list]")) return
  const place = {
    address: address(),
    row: document.activeElement?.closest("[data-row]")?.id ?? opened,
    inner: region()?.scrollTop ?? 0,
    outer: scrollY,
  }
  sessionStorage.setItem(KEY, JSON.stringify([place, ...stored().filter((each) => each.address !== place.address)].slice(0, MAX)))
}

let opened
document.addEventListener("click", ({ target }) => {
  const row = target.closest("[data-open]")?.closest("[data-row]")
  if (row) opened = row.id
})

const returned = () =>
  performance.getEntriesByType("navigation")[0]?.type === "back_forward" ||
  (document.referrer.startsWith(location.origin) && new URL(document.referrer).pathname.startsWith(`${location.pathname}/`))

function restore() {
  const place = document.querySelector("[data-list]") && returned() && stored().find((each) => each.address === address())
  if (!place) return
  region()?.scrollTo(0, place.inner)
  scrollTo(0, place.outer)
  document.getElementById(place.row)?.querySelector("[data-open]")?.focus({ preventScroll: true })
}

addEventListener("pagehide", remember)
addEventListener("pageshow", restore)
