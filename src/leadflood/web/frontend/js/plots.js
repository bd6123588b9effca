// Draws every element [data-plot]: its attribute holds the figures, which also stand in the table below it.
import uPlot from "uplot"

const drawn = new WeakMap()
// Numbers as the reader's region writes them; dates have words, which are English.
const { region } = document.documentElement.dataset
const english = `en-${region.split("-").pop()}`

// A canvas knows no custom properties and no light-dark(): an element has to work the colour out.
function colour(area, name) {
  const probe = area.appendChild(document.createElement("i"))
  probe.style.color = `var(${name})`
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}

const formatted = (value, unit) =>
  value == null ? "—" : unit === "s" ? (value < 1 ? `${Math.round(value * 1000)} ms` : `${(+value.toPrecision(3)).toLocaleString(region)} s`) : value.toLocaleString(region)

const clock = (plot, options) => new Intl.DateTimeFormat(english, { timeZone: plot.zone, ...options })

// The legend beside the title tells the figures under the pointer.
function tell(area, plot, at) {
  const items = area.closest("figure").querySelectorAll(".plot__legend li")
  items.forEach((item, index) => {
    if (at == null) delete item.dataset.value
    else item.dataset.value = formatted(plot.series[index].values[at], plot.unit)
  })
}

const areas = () => document.querySelectorAll("[data-plot]")
const size = (area) => ({ width: area.clientWidth, height: area.clientHeight })

function options(area, plot) {
  const axis = {
    stroke: colour(area, "--plot-text"),
    grid: { stroke: colour(area, "--plot-grid"), width: 1 },
    ticks: { show: false },
    font: `11px ${getComputedStyle(area).fontFamily}`,
  }
  // Stacked bars over numbers, instead of lines over time
  const { stacks } = plot
  const numbers = (_, ticks) => ticks.map((tick) => formatted(tick, plot.unit))
  const time = clock(plot, plot.days ? { day: "numeric", month: "short" } : { hour: "numeric", minute: "2-digit" })
  const few = !stacks && plot.series.some(({ values }) => values.filter((value) => value != null).length < 3)
  return {
    ...size(area),
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), plot.zone),
    cursor: { y: false, points: { size: 6 }, drag: { x: false } },
    legend: { show: false },
    scales: { x: { time: !stacks }, y: { range: (_, low, high) => [0, Math.max(high ?? 0, plot.unit ? 0.01 : 1) * 1.05] } },
    axes: [
      { ...axis, size: 30, values: stacks ? numbers : (_, ticks) => ticks.map((tick) => time.format(tick * 1000)) },
      { ...axis, size: 56, incrs: plot.unit ? undefined : [..."0123456"].flatMap((digits) => [1, 2, 5].map((each) => each * 10 ** digits)), values: numbers },
    ],
    series: [
      {},
      ...plot.series.map((_, index) => {
        const stroke = colour(area, `--plot-${index + 1}`)
        return { stroke, width: 2, points: { show: few, size: 6 }, ...(stacks && { fill: stroke, paths: uPlot.paths.bars({ size: [0.95], align: 1 }) }) }
      }),
    ],
    hooks: { setCursor: [(chart) => tell(area, JSON.parse(area.dataset.plot), chart.cursor.idx)] },
  }
}

function draw(area) {
  const figures = area.dataset.plot
  const known = drawn.get(area)
  if (known?.figures === figures) return
  const plot = JSON.parse(figures)
  const data = [plot.x, ...(plot.stacks ?? plot.series.map((each) => each.values))]
  if (known) known.chart.setData(data)
  else if (area.clientWidth) new ResizeObserver(() => drawn.get(area)?.chart.setSize(size(area))).observe(area)
  else return
  drawn.set(area, { figures, chart: known?.chart ?? new uPlot(options(area, plot), data, area) })
}

function redraw() {
  for (const area of areas()) {
    drawn.get(area)?.chart.destroy()
    drawn.delete(area)
    draw(area)
  }
}

const all = () => areas().forEach(draw)
document.addEventListener("live:shown", all)
document.addEventListener("htmx:afterSettle", all)
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw)
all()
