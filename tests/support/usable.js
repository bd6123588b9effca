// Runs in a page, and tells what a person could not see or reach: sentences that name elements.
async () => {
  const ending = document.getAnimations().filter((each) => each.effect.getComputedTiming().endTime < 60_000)
  await Promise.all(ending.map((each) => each.finished))
  const findings = []
  const width = document.documentElement.clientWidth
  const name = (node) => {
    const classes = [...node.classList].map((each) => "." + each).join("")
    const text = (node.getAttribute("aria-label") ?? node.name ?? "") || node.textContent.trim().slice(0, 40)
    return `<${node.localName}${node.id ? "#" + node.id : ""}${classes}> ${JSON.stringify(text)}`
  }
  const seen = (node) => node.checkVisibility({ visibilityProperty: true, opacityProperty: true })
  const style = (node, property) => getComputedStyle(node)[property]
  const scrolls = (node) => ["auto", "scroll"].includes(style(node, "overflowX"))
  const ancestors = function* (node) {
    for (let each = node.parentElement; each && each !== document.body; each = each.parentElement) yield each
  }
  // Text for screen readers alone is cut to a pixel on purpose.
  const pixel = (node) => node.clientWidth <= 1 && style(node, "overflowX") !== "visible"
  const spoken = (node) => [node, ...ancestors(node)].some(pixel)
  const beyond = (node) => {
    if (style(node, "position") === "fixed" || [...ancestors(node)].some(scrolls)) return false
    const { left, right } = node.getBoundingClientRect()
    return right > width + 1 || left < -1
  }

  const { scrollWidth } = document.scrollingElement
  if (scrollWidth > width) findings.push(`the page scrolls sideways: ${scrollWidth} pixels in a window of ${width}`)

  for (const node of document.querySelectorAll("body *")) {
    const says = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim())
    if (!says || !seen(node) || spoken(node)) continue
    if (beyond(node)) findings.push(`outside the window: ${name(node)}`)
    const cut = (axis) => ["hidden", "clip"].includes(style(node, "overflow" + axis))
    const sideways = cut("X") && node.scrollWidth > node.clientWidth + 1
    // What "…" stands for can be read: in a tooltip, or where the link or the row leads.
    const told = style(node, "textOverflow") === "ellipsis" && node.closest("[title], a, summary, button, tr:has(a)")
    if (sideways && !told) findings.push(`cut off: ${name(node)}`)
    if (cut("Y") && node.scrollHeight > node.clientHeight + 3) findings.push(`cut off below: ${name(node)}`)
  }

  const controls = "input:not([type=hidden]), select, textarea, button, summary, [role=button]"
  for (const node of document.querySelectorAll(controls)) {
    if (node.disabled || node.closest("[inert]")) continue
    const drawn = spoken(node) || style(node, "opacity") === "0" ? node.labels?.[0] ?? node.parentElement : node
    if (!seen(drawn) || spoken(drawn)) continue
    drawn.scrollIntoView({ block: "center", inline: "center", behavior: "instant" })
    const { left, top, right, bottom } = drawn.getBoundingClientRect()
    if (right - left < 12 || bottom - top < 12) findings.push(`too small to touch: ${name(node)}`)
    if (left < -1 || right > width + 1) findings.push(`not all of it can be reached: ${name(node)}`)
    // A panel beside a list lies over it where there is no room for both; Escape closes it.
    const hit = document.elementFromPoint((left + right) / 2, (top + bottom) / 2)
    const labelled = () => [...(node.labels ?? [])].some((label) => label.contains(hit))
    if (hit?.closest("[data-peek-panel]") && !node.closest("[data-peek-panel]")) continue
    if (!hit || !(drawn.contains(hit) || hit.contains(drawn) || labelled())) findings.push(`covered by ${hit ? name(hit) : "nothing"}: ${name(node)}`)
  }
  scrollTo(0, 0)
  return [...new Set(findings)]
}
