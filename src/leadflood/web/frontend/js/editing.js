// Fields edited in place: click a value to edit it, Tab saves and opens the next one, Escape gives up. What was typed is
// saved on leaving the field. Focus goes back to where it came from.
let origin
const done = new WeakSet() // forms that are sent or given up

function send(form, then = "") {
  if (done.has(form)) return
  done.add(form)
  form.elements.then.value = then
  form.requestSubmit()
}

document.addEventListener("click", (event) => {
  const { target } = event
  const line = target.closest(".kv__row--edit")
  const pencil = line?.querySelector("[data-edit]")
  if (!pencil) return
  const open = document.querySelector("form[data-inline]")
  if (target.closest("[data-edit]")) {
    origin = line.id
    if (!open) return
    event.preventDefault()
    event.stopImmediatePropagation()
    send(open, pencil.dataset.name)
  } else if (target.closest("dd") && !target.closest("a, button, [popover]") && getSelection().isCollapsed) pencil.click()
}, true)

document.addEventListener("keydown", (event) => {
  const form = event.target.closest?.("form[data-editing]")
  if (!form || document.querySelector("dialog:modal")) return
  if (event.key === "Escape") {
    event.preventDefault()
    done.add(form)
    form.querySelector("[data-cancel]")?.click()
  } else if (event.key === "Tab" && form.matches("[data-inline]")) {
    const then = event.shiftKey ? form.dataset.before : form.dataset.after
    const fields = [...form.querySelectorAll("input:not([type=hidden]), select, textarea")]
    if (!then || event.target !== fields.at(event.shiftKey ? 0 : -1)) return
    event.preventDefault()
    origin = `field-${then.replaceAll(".", "-")}`
    send(form, then)
  }
})

document.addEventListener("focusout", ({ target, relatedTarget }) => {
  const form = target.closest("form[data-inline]")
  if (!form || form.contains(relatedTarget) || !document.hasFocus()) return
  // A click on another value, which says what to edit then, comes after this.
  setTimeout(() => form.isConnected && !form.contains(document.activeElement) && send(form), 200)
})

document.addEventListener("submit", ({ target }) => done.add(target), true)
// A form that is still there was not saved, and can be sent again.
document.addEventListener("htmx:afterRequest", ({ target }) => done.delete(target))

document.addEventListener("htmx:afterSettle", () => {
  const field = document.querySelector("form[data-editing] [autofocus]")
  if (document.activeElement !== document.body && document.activeElement !== field) return
  const pencil = document.getElementById(origin)?.querySelector("[data-edit]")
  ;(field ?? pencil)?.focus()
  field?.select?.()
})
