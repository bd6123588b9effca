// A chosen or dropped file is uploaded immediately; htmx sends it, this shows progress and errors.
import htmx from "htmx.org"

const form = () => document.querySelector("form[data-upload]")

function tell(form, text) {
  form.querySelector("[role=alert]").textContent = text
  form.querySelector("[type=file]").setAttribute("aria-invalid", text !== "")
}

function send(form, files) {
  const limit = Number(form.dataset.upload)
  const [file] = files
  const fault = files.length > 1 ? "many" : file.size > limit ? "large" : file.size ? "" : "empty"
  tell(form, fault && form.dataset[fault])
  if (fault) form.reset()
  else form.requestSubmit()
}

function busy(form, on) {
  form.querySelector(".dropzone__busy").hidden = !on
  form.querySelector(".dropzone__idle").hidden = on
}

document.addEventListener("change", ({ target }) => {
  if (target.matches("form[data-upload] [type=file]") && target.files.length) send(target.form, target.files)
})

for (const kind of ["dragover", "dragleave", "drop"])
  document.addEventListener(kind, (event) => {
    const zone = form()
    if (!zone || !event.dataTransfer.types.includes("Files")) return
    event.preventDefault()
    zone.toggleAttribute("data-over", kind === "dragover")
    const { files } = event.dataTransfer
    if (kind !== "drop" || !files.length || !zone.querySelector(".dropzone__busy").hidden) return
    zone.querySelector("[type=file]").files = files
    send(zone, files)
  })

document.addEventListener("htmx:beforeRequest", ({ target }) => {
  if (target !== form()) return
  tell(target, "")
  target.querySelector("[data-upload-name]").textContent = target.querySelector("[type=file]").files[0].name
  busy(target, true)
  target.querySelector("[data-upload-cancel]").focus()
})

document.addEventListener("htmx:xhr:progress", ({ target, detail: { loaded, total } }) => {
  if (target !== form() || !total) return
  const bar = target.querySelector("progress")
  const done = Math.floor((100 * loaded) / total)
  target.querySelector("[data-upload-note]").textContent = done < 100 ? `${done}%` : "Processing…"
  if (done < 100) bar.value = loaded / total
  else bar.removeAttribute("value")
})

for (const end of ["htmx:sendError", "htmx:sendAbort"])
  document.addEventListener(end, ({ target, type }) => {
    if (target !== form()) return
    busy(target, false)
    target.reset()
    tell(target, type === "htmx:sendError" ? target.dataset.lost : "")
    target.querySelector("[type=file]").focus()
  })

document.addEventListener("click", ({ target }) => {
  if (target.closest("[data-upload-cancel]")) htmx.trigger(form(), "htmx:abort")
})
