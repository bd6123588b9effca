// Menus are popovers, which the browser opens and closes; this adds the arrow keys, and closes after a choice.
const items = (menu) => [...menu.querySelectorAll(".menu__item:not(:disabled)")]

document.addEventListener("toggle", ({ target: menu, newState }) => {
  if (newState === "open" && menu.matches("[data-menu]")) (menu.querySelector("[autofocus]") ?? items(menu)[0])?.focus()
}, true)

document.addEventListener("keydown", (event) => {
  const item = event.target.closest(".menu__item")
  const all = item && items(item.closest("[data-menu]"))
  const to = all && { ArrowDown: all.indexOf(item) + 1, ArrowUp: all.indexOf(item) - 1, Home: 0, End: -1 }[event.key]
  if (to == null) return
  event.preventDefault()
  all.at(to % all.length).focus()
})

document.addEventListener("click", (event) => {
  event.target.closest(".menu__item")?.closest("[data-menu]:popover-open")?.hidePopover()
})
