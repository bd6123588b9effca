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
