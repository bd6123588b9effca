// Selecting rows: all of them, a range with Shift, and the count. Escape clears the selection.
const boxes = (area) => [...area.querySelectorAll("tbody .cell-select input")]
let last
// Whether all that match are chosen, not only the rows of this page. Kept here, as a live update may renew the box.
let everyMatch = false

function count(area) {
  const all = boxes(area)
  const picked = all.filter((box) => box.checked).length
  const head = area.querySelector("[data-select-all]")
  if (head) Object.assign(head, { checked: picked > 0 && picked === all.length, indeterminate: picked > 0 && picked < all.length })
  const everything = area.querySelector("[data-select-everything]")
  everyMatch &&= picked === all.length
  if (everything) everything.checked = everyMatch
  const counter = area.querySelector("[data-select-count]")
  if (counter) counter.textContent = everything?.checked ? everything.dataset.selectEverything : `${picked} ${counter.dataset.selectCount}`
}

function set(area, some, checked) {
  for (const box of some) box.checked = checked
  count(area)
}

document.addEventListener("click", ({ target, shiftKey }) => {
  const area = target.closest(".selectable")
  if (!area) return
  const all = boxes(area)
  if (target.matches("[data-select-all]")) set(area, all, target.checked)
  else if (target.matches("[data-select-everything]")) {
    everyMatch = target.checked
    set(area, everyMatch ? all : [], true)
  }
  else if (target.closest("[data-select-none]")) {
    set(area, all, false)
    area.querySelector("[data-select-all]")?.focus()
  } else if (all.includes(target)) {
    const [from, to] = [all.indexOf(shiftKey && all.includes(last) ? last : target), all.indexOf(target)].sort((a, b) => a - b)
    set(area, all.slice(from, to + 1), target.checked)
    last = target
  }
})

document.addEventListener("keydown", (event) => {
  const area = event.key === "Escape" && document.querySelector(".selectable:has(tbody .cell-select :checked)")
  if (!area || event.target.matches("input:not([type=checkbox]), select, textarea")) return
  if (document.querySelector("dialog:modal, :popover-open:not(.tooltip)")) return
  set(area, boxes(area), false)
  event.preventDefault()
})

const recount = () => document.querySelectorAll(".selectable").forEach(count)
for (const moment of ["htmx:afterSettle", "live:shown"]) document.addEventListener(moment, recount)
addEventListener("pageshow", recount)
