// One tooltip for every [data-tip]: after a moment of hovering, or immediately on keyboard focus; Escape hides it.
const tip = Object.assign(document.createElement("div"), { className: "tooltip", popover: "manual", ariaHidden: "true" })
let timer

function show(owner) {
  tip.textContent = owner.dataset.tip
  for (const key of owner.dataset.keys?.split(" ") ?? []) tip.append(Object.assign(document.createElement("kbd"), { textContent: key }))
  tip.toggleAttribute("data-side", "tipSide" in owner.dataset)
  document.body.append(tip)
  if (owner.isConnected) tip.showPopover({ source: owner })
}

function later(wait, act) {
  clearTimeout(timer)
  timer = setTimeout(act, wait)
}

const hide = () => tip.remove()

document.addEventListener("pointerover", ({ target, pointerType }) => {
  const owner = target.closest("[data-tip]")
  if (owner && pointerType === "mouse") later(450, () => show(owner))
  else if (tip.isConnected && tip !== target.closest(".tooltip")) later(120, hide)
  else clearTimeout(timer)
})
document.addEventListener("focusin", ({ target }) => {
  if (target.matches("[data-tip]:focus-visible")) later(0, () => show(target))
})
document.addEventListener("focusout", () => later(0, hide))
document.addEventListener("pointerdown", () => later(0, hide))
document.addEventListener("keydown", ({ key }) => key === "Escape" && later(0, hide))
