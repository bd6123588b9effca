// Cards of a board are dragged to another column, or moved there by Shift and an arrow key. Arrow keys go from card to card.
import htmx from "htmx.org"

const CARD = "[data-card]"
const columns = () => [...document.querySelectorAll("[data-board] > [data-stage]")]
const columnOf = (node) => node.closest?.("[data-stage]")
const cards = (column) => [...(column?.querySelectorAll("[data-row]") ?? [])]

let dragged

function move(card, to) {
  const from = columnOf(card)
  if (!to || to === from) return
  const values = { stage: to.dataset.stage, "base.stage": from.dataset.stage }
  htmx.ajax("POST", `/leads/${card.id.slice(5)}/moves${location.search}`, { target: "#leads-list", swap: "outerHTML", values })
}

function mark(over) {
  for (const each of columns()) each.toggleAttribute("data-over", each === over)
}

const target = (event) => dragged && event.target.closest?.("[data-takes]")

document.addEventListener("dragstart", (event) => {
  dragged = event.target.closest?.(CARD)
  if (dragged) event.dataTransfer.effectAllowed = "move"
})

document.addEventListener("dragover", (event) => {
  const over = target(event)
  if (over) event.preventDefault()
  if (dragged) mark(over)
})

document.addEventListener("drop", (event) => {
  const over = target(event)
  if (!over) return
  event.preventDefault()
  move(dragged, over)
})

document.addEventListener("dragend", () => {
  dragged = undefined
  mark()
})

// The next column with a card, at the same height.
function beside(column, row, step) {
  const all = columns()
  for (let at = all.indexOf(column) + step; all[at]; at += step) {
    const found = cards(all[at])
    if (found.length) return found[Math.min(row, found.length - 1)]
  }
}

document.addEventListener("keydown", (event) => {
  const card = event.target.closest("[data-board] [data-row]")
  if (!card || event.ctrlKey || event.metaKey || event.altKey || !event.key.startsWith("Arrow")) return
  const column = columnOf(card)
  const row = cards(column).indexOf(card)
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
  event.preventDefault()
  if (event.shiftKey) {
    const taking = columns().filter((each) => each === column || each.matches("[data-takes]"))
    if (step && card.matches(CARD)) move(card, taking[taking.indexOf(column) + step])
    return
  }
  const next = step ? beside(column, row, step) : cards(column)[row + (event.key === "ArrowDown" ? 1 : -1)]
  next?.querySelector("[data-open]").focus()
})
