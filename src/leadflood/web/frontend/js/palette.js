// The command palette: its list comes from the server, arrows walk it, Enter follows the link.
const palette = () => document.getElementById("palette")
const choices = () => [...palette().querySelectorAll("a, button[type=submit]")]

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

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-palette]")) palette()?.showModal()
})

document.addEventListener("toggle", (event) => {
  if (event.target.id !== "palette" || event.newState !== "open") return
  const field = event.target.querySelector("input")
  field.select()
  window.htmx.trigger(field, "opened")
}, true)
