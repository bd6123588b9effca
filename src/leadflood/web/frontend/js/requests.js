// Every request of htmx carries the page's token; the server refuses writes without it.
document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-CSRF-Token"] = document.querySelector("meta[name=csrf-token]")?.content ?? ""
})
