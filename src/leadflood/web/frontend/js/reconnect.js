// On a page that stands for one the server could not show: waits until it can, then shows that.
// What a form had is sent again by a button only, so that nothing is done twice unseen.
const WAIT = 3000

async function ready() {
  try {
    return (await fetch("/ready", { cache: "no-store" })).ok
  } catch {
    return false
  }
}

async function wait(status) {
  if (!(await ready())) return setTimeout(wait, WAIT, status)
  const again = document.querySelector("form[data-again] [type=submit]")
  if (!again) return location.reload()
  status.textContent = "Back online."
  again.focus()
}

const status = document.querySelector("[data-reconnect]")
if (status) setTimeout(wait, WAIT, status)

if (navigator.serviceWorker && document.querySelector("[data-service-worker]"))
  addEventListener("load", () => navigator.serviceWorker.register("/service-worker.js").catch(() => {})) // pages work without it
