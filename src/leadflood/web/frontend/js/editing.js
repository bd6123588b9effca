// Fields edited in place: Escape gives up, and focus goes back to where it came from.
let origin

document.addEventListener("click", ({ target }) => {
  const pencil = target.closest("[data-edit]")
  if (pencil) origin = pencil.closest("[id]")?.id
})

document.addEventListener("keydown", (event) => {
  const form = event.key === "Escape" && event.target.closest("form[data-editing]")
  if (!form || document.querySelector("dialog:modal")) return
  event.preventDefault()
  form.querySelector("[data-cancel]")?.click()
})

document.addEventListener("htmx:afterSettle", () => {
  if (document.activeElement !== document.body) return
  const field = document.querySelector("form[data-editing] [autofocus]")
  const pencil = document.getElementById(origin)?.querySelector("[data-edit]")
  ;(field ?? pencil)?.focus()
  field?.select?.()
})
