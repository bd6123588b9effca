// Escape closes the panel beside a list, unless it is meant for something on top of it.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || event.target.matches("input, textarea, select")) return
  if (!document.querySelector("dialog:modal, :popover-open:not(.tooltip)")) document.querySelector("[data-peek-close]")?.click()
})
