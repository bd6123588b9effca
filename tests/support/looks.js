// Runs in a page, and marks with `data-look` the texts that look like none whose look is known. Returns their looks.
//
// A look is all that the contrast of a text depends on, and all that keeps axe from looking at it.
([within, without, known]) => {
  const looks = new Set(known)
  const fresh = []
  const grounds = new Map()

  const hash = (text) => {
    let [high, low] = [0xdeadbeef, 0x41c6ce57]
    for (let at = 0; at < text.length; at++) {
      high = Math.imul(high ^ text.charCodeAt(at), 2654435761)
      low = Math.imul(low ^ text.charCodeAt(at), 1597334677)
    }
    return (high >>> 0).toString(36) + (low >>> 0).toString(36)
  }

  // What is behind a text: of each element around it, what does not let everything through.
  const ground = (node) => {
    if (node === null) return ""
    if (!grounds.has(node)) {
      const { backgroundColor, backgroundImage, opacity, position, filter, mixBlendMode } = getComputedStyle(node)
      const seen = [backgroundColor, backgroundImage, opacity, position, filter, mixBlendMode].join()
      const clear = seen === "rgba(0, 0, 0, 0),none,1,static,none,normal"
      const behind = ground(node.parentElement)
      grounds.set(node, clear ? behind : hash(`${behind} ${node.className} ${seen}`))
    }
    return grounds.get(node)
  }

  const look = (node, text) => {
    const style = getComputedStyle(node)
    const { width, height } = node.getBoundingClientRect()
    return hash(
      [
        ...[ground(node), node.localName, node.className, getComputedStyle(node.parentElement ?? node).color],
        ...[style.color, style.fontSize, style.fontWeight, style.textShadow, style.webkitTextStroke],
        ...[style.textDecorationLine, style.borderBottom, style.clip, style.clipPath, width > 1 && height > 1],
        ...[node.matches(":disabled") || node.control?.disabled, !!node.closest("[aria-disabled=true], fieldset:disabled")],
        ...[!!node.closest("label"), text.length > 1, /[\p{L}\p{N}]/u.test(text)],
      ].join(),
    )
  }

  const written = (node) => {
    const own = [...node.childNodes].filter((each) => each.nodeType === Node.TEXT_NODE)
    const text = own.map((each) => each.data).join("")
    return (node.matches("input, select, textarea") ? node.value || node.placeholder || "value" : text).trim()
  }

  const excluded = without.join()
  const whole = document.querySelector(within)
  for (const node of [whole, ...whole.querySelectorAll("*")]) {
    const text = written(node)
    if (!text || !node.checkVisibility({ visibilityProperty: true }) || node.closest(excluded)) continue
    const found = look(node, text)
    if (looks.has(found)) continue
    looks.add(found)
    fresh.push(found)
    node.setAttribute("data-look", "")
  }
  return fresh
}
