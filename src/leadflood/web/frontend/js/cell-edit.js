// Editing in a list: click a cell, or press Enter or F2 on it. Enter saves, Tab saves and opens the next cell, Escape cancels.
// Arrow keys go from cell to cell. The server answers with the row as it is then.
import { Idiomorph } from "idiomorph/htmx"
import { show } from "./live.js"

const CELL = "td[data-field]"
const shown = new WeakMap() // what a cell had in the place of its form
const closed = new WeakSet() // forms whose fields may still lose the focus

const inTable = (cell) => getComputedStyle(cell).display === "table-cell"
const formOf = (cell) => cell.querySelector(".cell-form")
const inputs = (form) => [...form.querySelectorAll("input, select")]

// What a cell stands for, by the names of its inputs.
function values(cell) {
  const { field, value, values } = cell.dataset
  return values ? JSON.parse(values) : { [field]: value ?? cell.textContent.trim() }
}

function controls(cell) {
  const { field, label } = cell.dataset
  const template = document.querySelector(`template[data-editor="${CSS.escape(field)}"]`)
  if (template) return template.content.cloneNode(true)
  return Object.assign(document.createElement("input"), { className: "input input--sm", name: field, ariaLabel: label, autocomplete: "off" })
}

function open(cell, typed = values(cell), error = "") {
  if (!formOf(cell)) {
    const form = Object.assign(document.createElement("form"), { className: "cell-form" })
    form.dataset.editing = ""
    form.append(controls(cell))
    shown.set(cell, { nodes: [...cell.childNodes], values: values(cell) })
    for (const input of inputs(form)) {
      input.value = typed[input.name] ?? ""
      if (error) input.ariaInvalid = "true"
    }
    form.append(error)
    cell.replaceChildren(form)
  }
  const [first] = inputs(formOf(cell))
  first.focus()
  first.select?.()
}

function close(cell) {
  if (!formOf(cell)) return
  closed.add(formOf(cell))
  cell.replaceChildren(...shown.get(cell).nodes)
}

function commit(cell) {
  const form = formOf(cell)
  if (!form || closed.has(form)) return
  const before = shown.get(cell)
  const typed = Object.fromEntries(inputs(form).map((input) => [input.name, input.value]))
  const texts = inputs(form).map((input) => (input.value && input.selectedOptions?.[0].textContent) ?? input.value)
  close(cell)
  if (Object.keys(typed).every((name) => typed[name] === (before.values[name] ?? ""))) return
  cell.replaceChildren(texts.join(" ").trim())
  cell.ariaBusy = "true"
  save(cell.closest("tr").id, before, typed)
}

async function save(id, before, typed) {
  const body = new URLSearchParams(typed)
  for (const name of Object.keys(typed)) body.append(`base.${name}`, before.values[name] ?? "")
  const headers = { "HX-Request": "true", "HX-Target": "leads-row", "X-CSRF-Token": document.querySelector("meta[name=csrf-token]").content }
  const answer = document.createElement("template")
  try {
    const response = await fetch(`/leads/${id.replace("lead-", "")}/cells${location.search}`, { method: "POST", body, headers })
    if (response.headers.has("HX-Redirect")) return location.assign(response.headers.get("HX-Redirect"))
    answer.innerHTML = await response.text()
  } catch {
    answer.innerHTML = '<p class="cell-form__error" role="alert">Not saved. Check your connection and try again.</p>'
  }
  const row = answer.content.querySelector("tr")
  if (row) return renew(id, row, answer)
  const cell = [...(document.getElementById(id)?.querySelectorAll(CELL) ?? [])].find((each) => Object.keys(typed)[0] in values(each))
  if (!cell) return show(answer.innerHTML)
  cell.ariaBusy = null
  close(cell)
  cell.replaceChildren(...before.nodes)
  cell.dataset.values = JSON.stringify(before.values)
  open(cell, typed, answer.content)
}

// The row as the server has it. A cell that is edited already stays, and so does the focus.
function renew(id, row, answer) {
  const old = document.getElementById(id)
  for (const [index, cell] of [...row.cells].entries())
    if (old?.cells[index] && !formOf(old.cells[index])) Idiomorph.morph(old.cells[index], cell)
  show(answer.innerHTML)
}

function leave(cell) {
  commit(cell)
  cell.focus()
}

function beside(cell, step) {
  const all = [...cell.closest("tbody").querySelectorAll(CELL)].filter(inTable)
  return all[all.indexOf(cell) + step]
}

function onEditorKey(event, cell) {
  const all = inputs(formOf(cell))
  const step = event.shiftKey ? -1 : 1
  if (event.key === "Escape") {
    close(cell)
    cell.focus()
  } else if (event.key === "Enter" && !event.isComposing) leave(cell)
  else if (event.key === "Tab" && !all[all.indexOf(event.target) + step]) {
    const next = beside(cell, step)
    leave(cell)
    if (next) open(next)
  } else return
  event.preventDefault()
}

// What takes the focus in a cell: the link or box in it, or the cell itself.
const target = (cell) => cell?.querySelector("[data-open], input[type=checkbox]") ?? (cell?.matches("[tabindex]") ? cell : null)

function walk(event, cell) {
  const row = cell.parentElement
  const rows = [...row.parentElement.rows]
  const cells = [...row.cells].filter(target)
  const next = {
    ArrowLeft: () => cells[cells.indexOf(cell) - 1],
    ArrowRight: () => cells[cells.indexOf(cell) + 1],
    ArrowUp: () => rows[rows.indexOf(row) - 1]?.cells[cell.cellIndex],
    ArrowDown: () => rows[rows.indexOf(row) + 1]?.cells[cell.cellIndex],
  }[event.key]?.()
  if (!target(next)) return
  event.preventDefault()
  target(next).focus()
}

// The cell of a row that has the focus, or else the first that can be edited.
export function edit(row) {
  const cell = document.activeElement.closest(CELL) ?? row.querySelector(CELL)
  if (cell && inTable(cell)) open(cell)
}

document.addEventListener("click", ({ target: clicked }) => {
  const cell = clicked.closest(CELL)
  if (cell && !clicked.closest("a, button, form, label") && inTable(cell) && getSelection().isCollapsed) open(cell)
})

document.addEventListener("focusout", ({ target: left, relatedTarget }) => {
  const cell = left.closest(".cell-form")?.closest(CELL)
  if (cell && !cell.contains(relatedTarget) && document.hasFocus()) commit(cell)
})

// The answer to the question whose value is to stay.
function overwrite(form) {
  const given = [...new FormData(form)].filter(([name]) => name !== "csrf")
  const typed = Object.fromEntries(given.filter(([name]) => !name.startsWith("base.")))
  const current = Object.fromEntries(Object.keys(typed).map((name) => [name, form.elements[`base.${name}`]?.value]))
  form.closest("dialog").close()
  save(form.dataset.overwrite, { nodes: [], values: current }, typed)
}

document.addEventListener("submit", (event) => {
  const form = event.target
  if (!form.matches(".cell-form, [data-overwrite]")) return
  event.preventDefault()
  form.matches(".cell-form") ? leave(form.closest(CELL)) : overwrite(form)
})

document.addEventListener("keydown", (event) => {
  const cell = event.target.closest("[data-grid] tbody td")
  if (!cell || event.ctrlKey || event.metaKey || event.altKey) return
  if (formOf(cell)) return onEditorKey(event, cell)
  const enters = event.key === "F2" || (event.key === "Enter" && event.target === cell)
  if (cell.matches(CELL) && enters && inTable(cell)) {
    event.preventDefault()
    open(cell)
  } else if (!event.shiftKey) walk(event, cell)
})
