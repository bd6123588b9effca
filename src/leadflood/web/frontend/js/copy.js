// Copies what a button's data-copy holds. The check mark and the word go after two seconds.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]")
  if (!button) return
  const said = button.nextElementSibling
  try {
    await navigator.clipboard.writeText(button.dataset.copy)
  } catch {
    said.textContent = "Not copied: the browser did not allow it"
    return
  }
  button.dataset.copied = ""
  said.textContent = "Copied"
  setTimeout(() => {
    delete button.dataset.copied
    said.textContent = ""
  }, 2000)
})
