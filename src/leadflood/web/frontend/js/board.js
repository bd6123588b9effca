// A card of a board is dragged to another column, or moved there by Shift and an arrow key. Without Shift, the focus goes there.
import htmx from "htmx.org"

let card
let over

const columnOf = (node) => node.closest("[data-stage]")

function move(to) {
  const from = columnOf(card)
  if (!to?.matches("[data-takes]") || to === from) return
  const values = { stage: to.dataset.stage, "base.stage": from.dataset.stage }
  htmx.ajax("POST", card.querySelector(".board__move").href, { target: "#leads-list", swap: "outerHTML", values })
}

function mark(to) {
  over?.removeAttribute("data-over")
  over = to
  over?.setAttribute("data-over", "")
}

addEventListener("dragstart", ({ target }) => (card = target.closest?.("[data-card]")))
addEventListener("dragend", () => mark((card = null)))
addEventListener("dragover", (event) => {
  mark(card && event.target.closest("[data-takes]"))
  if (over) event.preventDefault()
})
addEventListener("drop", (event) => {
  if (!over) return
  event.preventDefault()
  move(over)
})

addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
  const here = step && !event.altKey && event.target.closest("[data-board] [data-row]")
  if (!here) return
  event.preventDefault()
  const open = (column) => column.querySelector("[data-open]")
  const all = [...document.querySelectorAll("[data-stage]")].filter((each) => event.shiftKey || open(each))
  const to = all[all.indexOf(columnOf(here)) + step]
  card = here
  event.shiftKey ? move(to) : to && open(to).focus()
})
