// Lists that can be put in order: dragged by [data-handle], or moved by buttons [data-move], which otherwise send the form.
const ITEM = "[data-sortable] > li"

function place(item, before) {
  item.parentElement.insertBefore(item, before)
}

function announce(item) {
  const all = [...item.parentElement.children]
  const status = item.closest("form")?.querySelector("[data-moved]")
  if (status) status.textContent = `${item.querySelector("[data-name]").textContent}: position ${all.indexOf(item) + 1} of ${all.length}`
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-move]")
  const item = button?.closest(ITEM)
  if (!item) return
  event.preventDefault()
  const { previousElementSibling: previous, nextElementSibling: next } = item
  if (button.dataset.move > 0) place(item, next?.nextElementSibling ?? null)
  else if (previous) place(item, previous)
  button.focus()
  announce(item)
})

document.addEventListener("pointerdown", (event) => {
  const handle = event.target.closest("[data-handle]")
  const item = handle?.closest(ITEM)
  if (!item) return
  event.preventDefault()
  handle.setPointerCapture(event.pointerId)
  item.toggleAttribute("data-moving", true)
  handle.onpointermove = ({ clientY }) => {
    const others = [...item.parentElement.children].filter((each) => each !== item)
    place(item, others.find((each) => clientY < each.getBoundingClientRect().top + each.offsetHeight / 2) ?? null)
  }
  handle.onlostpointercapture = () => {
    handle.onpointermove = handle.onlostpointercapture = null
    item.toggleAttribute("data-moving", false)
    announce(item)
  }
})
