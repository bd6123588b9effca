// A receipt is a popover that opens on click; this opens it on hover and focus too. The browser closes it on Escape.
let timer

function later(wait, act) {
  clearTimeout(timer)
  timer = setTimeout(act, wait)
}

const panel = (node) => node?.closest?.("[data-receipt]")?.querySelector("[popover]")
const turn = (receipt, open) => receipt?.isConnected && receipt.togglePopover(open)

document.addEventListener("pointerover", ({ target, pointerType }) => {
  const open = document.querySelector("[data-receipt] :popover-open")
  const here = panel(target)
  if (here === open) clearTimeout(timer)
  else if (here && pointerType === "mouse") later(200, () => turn(here, true))
  else if (open && open !== panel(document.activeElement)) later(200, () => turn(open, false))
})
document.addEventListener("focusin", ({ target }) => {
  if (target.matches(".receipt__value:focus-visible")) turn(panel(target), true)
})
document.addEventListener("focusout", ({ target, relatedTarget }) => {
  if (panel(target) && panel(relatedTarget) !== panel(target)) turn(panel(target), false)
})
