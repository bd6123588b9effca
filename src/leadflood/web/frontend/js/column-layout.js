// The columns of a list: dragged wider or narrower at their edge, and to another place by their header. With the
// keyboard on a header: Shift and an arrow key changes the width, Alt+Shift and an arrow key the place.
import htmx from "htmx.org"

const MIN = 48
const MAX = 960
const STEP = 16
const SLACK = 6

const HEAD = "[data-columns] th[data-column]"
const heads = () => [...document.querySelectorAll(HEAD)]
const column = (head) => document.querySelector(`[data-columns] col[data-column="${CSS.escape(head.dataset.column)}"]`)

let timer

// The address has the layout, so that it can be saved, shared and reloaded.
function keep(change, wait) {
  const address = new URL(location)
  change(address.searchParams)
  history.replaceState(history.state, "", address)
  clearTimeout(timer)
  timer = setTimeout(() => htmx.ajax("GET", location.pathname + location.search, { target: "#leads-list", swap: "outerHTML" }), wait)
}

function widen(head, width) {
  column(head).width = Math.round(Math.min(Math.max(width, MIN), MAX))
}

function keepWidth(head, wait = 0) {
  const name = head.dataset.column
  keep((query) => {
    const others = query.getAll("width").filter((each) => each.slice(0, each.lastIndexOf(".")) !== name)
    query.delete("width")
    for (const each of [...others, `${name}.${column(head).width}`]) query.append("width", each)
  }, wait)
}

function keepPlace(head, to) {
  const names = heads().map((each) => each.dataset.column)
  const from = names.indexOf(head.dataset.column)
  if (to === from || !names[to]) return
  names.splice(to, 0, ...names.splice(from, 1))
  keep((query) => {
    query.delete("column")
    for (const name of names) query.append("column", name)
  }, 0)
}

// Calls `move` until the pointer is up or Escape is pressed, then `end` with whether the result counts.
function follow(move, end) {
  const over = new AbortController()
  const stop = (done) => {
    over.abort()
    end(done)
  }
  const { signal } = over
  addEventListener("pointermove", move, { signal })
  addEventListener("pointerup", () => stop(true), { signal })
  addEventListener("pointercancel", () => stop(false), { signal })
  addEventListener("keydown", ({ key }) => key === "Escape" && stop(false), { signal })
}

function resize(event, head) {
  const width = head.offsetWidth
  const direction = getComputedStyle(head).direction === "rtl" ? -1 : 1
  event.preventDefault()
  follow(
    (now) => widen(head, width + direction * (now.clientX - event.clientX)),
    (done) => (done ? keepWidth(head) : widen(head, width)),
  )
}

// The header of a column may be a link: the click at the end of a drag is none.
function swallowClick() {
  const swallow = (click) => click.preventDefault()
  addEventListener("click", swallow, { capture: true, once: true })
  setTimeout(() => removeEventListener("click", swallow, { capture: true }))
}

function reorder(event, head) {
  let to = -1
  const mark = (place) => heads().forEach((each, index) => each.toggleAttribute("data-drop", index === place))
  const move = (now) => {
    if (to < 0 && Math.abs(now.clientX - event.clientX) < SLACK) return
    const under = heads().findIndex((each) => now.clientX < each.getBoundingClientRect().right)
    to = under < 0 ? heads().length - 1 : under
    mark(to)
  }
  follow(move, (done) => {
    mark(-1)
    if (to < 0) return
    swallowClick()
    if (done) keepPlace(head, to)
  })
}

document.addEventListener("pointerdown", (event) => {
  const head = event.button === 0 && event.pointerType !== "touch" && event.target.closest(HEAD)
  if (head) (event.target.closest("[data-resize]") ? resize : reorder)(event, head)
})

document.addEventListener("dragstart", (event) => {
  if (event.target.closest?.(HEAD)) event.preventDefault()
})

document.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
  const head = step && event.shiftKey && !event.ctrlKey && !event.metaKey && event.target.closest(HEAD)
  if (!head) return
  event.preventDefault()
  if (event.altKey) return keepPlace(head, heads().indexOf(head) + step)
  widen(head, Number(column(head).width || head.offsetWidth) + step * STEP)
  keepWidth(head, 400)
})
