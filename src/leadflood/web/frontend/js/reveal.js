// Shows and hides a password.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-reveal]")
  if (!button) return
  const field = document.getElementById(button.getAttribute("aria-controls"))
  const shown = field.type === "password"
  field.type = shown ? "text" : "password"
  button.ariaPressed = shown
  button.dataset.tip = shown ? "Hide password" : "Show password"
})
