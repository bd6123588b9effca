// The page's own stream: what changes on the server is morphed into the page, without losing focus or open panels.
import { Idiomorph } from "idiomorph/htmx"
import htmx from "htmx.org"

const POLL_EVERY = 5000
const FAILURES = 3

let source
let timer
let failures = 0

const address = () => location.pathname + location.search
const wanted = () => document.querySelector("[data-live]") && document.visibilityState === "visible"
const announce = (state) => (document.documentElement.dataset.stream = state)

// Whether the attribute is the state of a field that the visitor has changed. An answer about what was typed is older
// than what is typed meanwhile, so the whole form belongs to the visitor while it is checked.
function isTyped(name, node) {
  if (name === "value" && node.matches("input, textarea")) return isChecked(node.form) || node.value !== node.defaultValue
  if (name === "checked" && node.matches("input")) return isChecked(node.form) || node.checked !== node.defaultChecked
  if (name === "selected" && node.matches("option"))
    return isChecked(node.closest("form")) || node.selected !== node.defaultSelected
  return false
}

const isChecked = (form) => form?.matches("[data-check]")

const morphing = {
  ignoreActiveValue: true,
  callbacks: {
    // A plot draws itself; it hears of new figures by its attribute.
    beforeNodeRemoved: (node) => !node.parentElement?.matches("[data-plot]"),
    // What the visitor has opened, ticked or begun to type stays as it is.
    beforeAttributeUpdated: (name, node) =>
      !(name === "open" && node.matches("details, dialog")) &&
      !(name === "checked" && node.matches(".cell-select input, [data-select-everything]")) &&
      !isTyped(name, node),
    beforeNodeMorphed: (old) => !(old.nodeType === 1 && (old.matches("[data-keep]") || old === editing())),
  },
}

const editing = () => document.activeElement?.closest("form[data-editing]")

export function show(html) {
  const fresh = document.createElement("template")
  fresh.innerHTML = html
  for (const part of [...fresh.content.children]) {
    const old = part.id && document.getElementById(part.id)
    if (!old || old.querySelector("form[data-editing]")) continue
    for (const node of Idiomorph.morph(old, part, morphing)) if (node.nodeType === 1) htmx.process(node)
  }
  document.dispatchEvent(new CustomEvent("live:shown"))
}

function leave() {
  location.assign(`/sign-in?next=${encodeURIComponent(address())}`)
}

async function poll() {
  try {
    const answer = await fetch(address(), { headers: { "HX-Request": "true", "X-Live": "poll" } })
    if (answer.headers.has("HX-Redirect")) return location.assign(answer.headers.get("HX-Redirect"))
    if (answer.ok) show(await answer.text())
    announce(answer.ok ? "polling" : "away")
  } catch {
    announce("away")
  }
  if (wanted()) timer = setTimeout(poll, POLL_EVERY)
}

function open() {
  close()
  if (!wanted()) return
  if (!window.EventSource || failures >= FAILURES) return poll()
  source = new EventSource(address())
  source.addEventListener("parts", (event) => {
    failures = 0
    announce("on")
    show(JSON.parse(event.data))
  })
  source.addEventListener("away", () => announce("away"))
  source.addEventListener("paused", () => {
    close()
    announce("paused")
  })
  source.addEventListener("end", () => {
    close()
    leave()
  })
  source.onerror = () => {
    announce("away")
    failures += 1
    if (failures >= FAILURES || source.readyState === EventSource.CLOSED) open()
  }
}

function close() {
  source?.close()
  source = undefined
  clearTimeout(timer)
}

document.addEventListener("visibilitychange", open)
for (const moved of ["htmx:pushedIntoHistory", "htmx:replacedInHistory", "htmx:historyRestore"])
  document.addEventListener(moved, open)
// Another window has replaced this one; using it again makes it live again.
addEventListener("focus", () => document.documentElement.dataset.stream === "paused" && open())
addEventListener("pagehide", close)
addEventListener("pageshow", open)
