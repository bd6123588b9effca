// Asks the server about the fields that have been left, as soon as they are: the same contract as when it is sent.
import { show } from "./live.js"

const touched = new WeakMap()

document.addEventListener("focusout", async ({ target }) => {
  const form = target.form?.matches("[data-check]") && target.name ? target.form : null
  if (!form || !target.matches("input, select, textarea")) return
  const names = touched.get(form) ?? touched.set(form, new Set()).get(form)
  if (target.value) names.add(target.name)
  if (!names.has(target.name)) return
  const fields = new URLSearchParams(new FormData(form))
  for (const name of names) fields.append("touched", name)
  const headers = { "HX-Request": "true", "X-CSRF-Token": document.querySelector("meta[name=csrf-token]").content }
  const answer = await fetch(form.dataset.check, { method: "POST", body: fields, headers })
  if (answer.ok && form.isConnected) show(await answer.text())
})

// A suggestion that is accepted is typed in, and checked like that.
document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-fill]")
  if (!button) return
  const field = button.form.elements[button.dataset.fill]
  field.value = button.value
  field.dispatchEvent(new FocusEvent("focusout", { bubbles: true }))
  field.focus()
})
