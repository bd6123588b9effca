// A toast goes when it is dismissed, or when its life, an animation that pointer and focus hold, is over.
function remove(toast) {
  const focused = toast.contains(document.activeElement)
  toast.remove()
  if (focused) document.getElementById("main")?.focus()
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-dismiss]")) remove(event.target.closest(".toast"))
})

document.addEventListener("animationend", (event) => {
  if (event.animationName === "toast-life") remove(event.target.closest(".toast"))
})
