// The command palette: its list comes from the server, arrows walk it, Enter follows the link. Where rows are selected, it
// begins with what can be done with them.
const palette = () => document.getElementById("palette")
const choices = () => [...palette().querySelectorAll(".palette__item:not([hidden])")]
const ACTIONS = ".bulkbar button:not([data-select-none], [popovertarget])"
const words = (text) => text.toLowerCase().split(/\s+/).filter(Boolean)

// The buttons for the selected rows, as items that press them.
function offer() {
  const area = document.querySelector(".selectable:has(.cell-select :checked)")
  const buttons = area ? [...area.querySelectorAll(ACTIONS)] : []
  const items = buttons.map((button) => {
    const item = Object.assign(document.createElement("button"), { type: "button", className: "palette__item" })
    item.append(...[...button.childNodes].filter((node) => !node.matches?.("kbd")).map((node) => node.cloneNode(true)))
    item.addEventListener("click", () => {
      palette().close()
      button.click()
    })
    return item
  })
  const title = Object.assign(document.createElement("p"), { className: "palette__title" })
  title.textContent = area?.querySelector(".bulkbar__count")?.textContent ?? ""
  document.getElementById("palette-actions").replaceChildren(...(items.length ? [title, ...items] : []))
}

function narrow(typed) {
  const parts = words(typed)
  for (const item of document.querySelectorAll("#palette-actions .palette__item")) {
    item.hidden = !parts.every((part) => words(item.textContent).some((word) => word.startsWith(part)))
  }
}

document.addEventListener("keydown", (event) => {
  if (!palette()?.open) return
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
  const field = palette().querySelector("input")
  if (step) {
    event.preventDefault()
    const all = [field, ...choices()]
    all[(all.indexOf(document.activeElement) + step + all.length) % all.length].focus()
  } else if (event.key === "Enter" && document.activeElement === field) {
    event.preventDefault()
    choices()[0]?.click()
  }
})

document.addEventListener("input", (event) => {
  if (event.target.matches("#palette .palette__input")) narrow(event.target.value)
})

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-palette]")) palette()?.showModal()
})

document.addEventListener("toggle", (event) => {
  if (event.target.id !== "palette" || event.newState !== "open") return
  const field = event.target.querySelector("input")
  offer()
  narrow(field.value)
  field.select()
  window.htmx.trigger(field, "opened")
}, true)
