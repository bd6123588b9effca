// Keys for the whole page. Rows of a list are its elements [data-row], each with a link [data-open]. What a page adds is on
// its elements [data-key]: the key clicks the element.
import { edit } from "./cell-edit.js"

const dialog = (id) => document.getElementById(id)
const rows = () => [...document.querySelectorAll("[data-row]")]
const row = () => document.activeElement?.closest("[data-row]")
const goTo = JSON.parse(document.body.dataset.go ?? "{}")

let going = -Infinity
let peeking

function move(step) {
  const all = rows()
  if (!all.length) return click(step > 0 ? "[data-next]" : "[data-previous]")
  const at = all.indexOf(row() ?? last())
  const next = all[Math.min(Math.max(at + step, 0), all.length - 1)]
  next.querySelector("[data-open]")?.focus()
  next.scrollIntoView({ block: "nearest" })
  clearTimeout(peeking)
  if (document.querySelector("[data-peek-panel]")) peeking = setTimeout(() => next.querySelector("[data-peek]")?.click(), 120)
}

const box = (of) => of?.querySelector("input[type=checkbox]")

// Actions on the selected rows: on the row that the keyboard is on where none is selected.
function press(key) {
  const selector = `[data-key="${CSS.escape(key)}"]`
  const button = row()?.querySelector(selector) ?? document.querySelector(`${selector}:not([data-row] *)`)
  const area = button?.closest(".selectable")
  if (area && !area.querySelector(".cell-select :checked")) box(row())?.click()
  if (!area || area.querySelector(".cell-select :checked")) button?.click()
  return button
}

let remembered
const last = () => document.getElementById(remembered)
document.addEventListener("focusin", () => (remembered = row()?.id ?? remembered))

const click = (selector) => (row()?.querySelector(selector) ?? document.querySelector(selector))?.click()

const keys = {
  j: () => move(1),
  k: () => move(-1),
  x: () => box(row())?.click(),
  X: () => box(row())?.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, shiftKey: true })),
  b: () => document.querySelector(".selectable:has(.cell-select :checked) .bulkbar button")?.focus(),
  e: () => (row()?.querySelector("td[data-field]") ? edit(row()) : click("[data-edit]")),
  n: () => click("[data-new]"),
  p: () => click("[data-peek]"),
  "/": () => document.querySelector("[data-search]")?.focus(),
  "?": () => dialog("shortcuts")?.showModal(),
  g: (event) => (going = event.timeStamp),
}

const typing = (node) => node.isContentEditable || node.matches("input:not([type=checkbox], [type=radio]), select, textarea")

document.addEventListener("keydown", (event) => {
  if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") {
    event.preventDefault()
    dialog("palette")?.showModal()
    return
  }
  if (event.metaKey || event.ctrlKey || event.altKey || typing(event.target) || document.querySelector("dialog[open]:modal")) return
  const place = event.timeStamp - going < 1000 && goTo[event.key]
  going = -Infinity
  if (place) return location.assign(place)
  const act = keys[event.key]
  if (act) act(event)
  else if (event.key.length > 1 || !press(event.key)) return
  event.preventDefault()
})

// A row that a swap took away must not take the focus with it.
document.addEventListener("live:shown", restore)
document.addEventListener("htmx:afterSettle", restore)
function restore() {
  if (document.activeElement === document.body) last()?.querySelector("[data-open]")?.focus({ preventScroll: true })
}
