// A bar at the top of the window while a page, or a part of one, takes longer than a moment.
const DELAY = 300
const AT_MOST = 15_000 // a download leaves the page where it is, without telling

const bar = Object.assign(document.createElement("div"), { className: "loading", role: "status", ariaLabel: "Loading" })
let pending = 0
let timer

function begin() {
  pending += 1
  timer ??= setTimeout(() => document.body.append(bar), DELAY)
}

function end() {
  pending = Math.max(pending - 1, 0)
  if (pending === 0) reset()
}

function reset() {
  pending = 0
  clearTimeout(timer)
  timer = undefined
  bar.remove()
}

const isQuiet = ({ target }) => target.closest("[data-quiet]")

addEventListener("beforeunload", () => {
  begin()
  setTimeout(reset, AT_MOST)
})
addEventListener("pageshow", reset)
document.addEventListener("htmx:beforeRequest", (event) => isQuiet(event) || begin())
document.addEventListener("htmx:afterRequest", (event) => isQuiet(event) || end())
