// Shows a page of ours while the server can't be reached, and keeps what a form had: its fields are in that page, with a
// button that sends them again. Everything else goes to the server as without it.
const CACHE = "offline"
const PAGE = "/offline"
const FORM = "application/x-www-form-urlencoded"
const PLACE = "<!-- form -->"

addEventListener("install", (event) => event.waitUntil(store()))
addEventListener("activate", (event) => event.waitUntil(start()))

async function store() {
  const cache = await caches.open(CACHE)
  const page = await fetch(PAGE, { credentials: "omit", cache: "reload" })
  const html = await page.clone().text()
  await cache.put(PAGE, page)
  await cache.addAll([...html.matchAll(/"(\/static\/[^"]+)"/g)].map(([, url]) => url))
  await skipWaiting()
}

async function start() {
  await registration.navigationPreload?.enable()
  await clients.claim()
}

addEventListener("fetch", (event) => {
  const { request } = event
  if (request.mode === "navigate") event.respondWith(navigate(event))
  else if (new URL(request.url).pathname.startsWith("/static/")) event.respondWith(fetch(request).catch(() => caches.match(request)))
})

async function navigate({ request, preloadResponse }) {
  const isForm = request.method === "POST" && request.headers.get("content-type")?.startsWith(FORM)
  const body = isForm ? await request.clone().text() : ""
  try {
    return (await preloadResponse) ?? (await fetch(request))
  } catch {
    return offline(request, body)
  }
}

async function offline(request, body) {
  const page = await caches.match(PAGE)
  const html = (await page.text()).replace(PLACE, () => again(request, new URLSearchParams(body)))
  return new Response(html, { status: 503, headers: page.headers })
}

// Passwords are typed again.
function again(request, fields) {
  if (![...fields].length || [...fields.keys()].some((name) => /password/i.test(name))) return ""
  const { pathname, search } = new URL(request.url)
  const inputs = [...fields].map(([name, value]) => `<input type="hidden" name="${escaped(name)}" value="${escaped(value)}">`)
  return `<form method="post" action="${escaped(pathname + search)}" data-again>${inputs.join("")}<button type="submit" class="button button--primary"><span>Try again</span></button></form>`
}

const escaped = (text) => text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)
