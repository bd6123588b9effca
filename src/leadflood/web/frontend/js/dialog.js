// Dialogs open and close by `command` and `commandfor`; this is for browsers that do not know them yet.
// A dialog that came open with an answer (data-modal) becomes modal.
if (!("commandForElement" in HTMLButtonElement.prototype))
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[commandfor]")
    const dialog = button && document.getElementById(button.getAttribute("commandfor"))
    if (dialog) button.getAttribute("command") === "close" ? dialog.close() : dialog.showModal()
  })

function lift() {
  for (const dialog of document.querySelectorAll("dialog[data-modal][open]:not(:modal)")) {
    dialog.removeAttribute("open")
    dialog.showModal()
  }
}

lift()
document.addEventListener("htmx:load", lift)
document.addEventListener("live:shown", lift)

// Enter in a field presses the dialog's own button, also where the field belongs to a form outside the dialog.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing || !event.target.matches("dialog input:not([type=submit], [type=button])")) return
  const dialog = event.target.closest("dialog")
  const button = dialog.querySelector(".dialog__foot [type=submit].button--primary")
  if (!button || dialog.contains(event.target.form)) return
  event.preventDefault()
  button.click()
})
