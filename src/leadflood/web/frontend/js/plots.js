// Draws every element [data-plot]: its attribute holds the figures, which also stand in the table below it.
import uPlot from "uplot"

const drawn = new WeakMap()
// Numbers as the reader's region writes them; dates have words, which are English.
const { region } = document.documentElement.dataset
const english = `en-${region.split("-").pop()}`
const whole = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 1e6]
const tones = ["--plot-1", "--plot-2", "--plot-3"]

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

function options(area, plot) {
  const axis = {
    stroke: colour(area, "--plot-text"),
    grid: { stroke: colour(area, "--plot-grid"), width: 1 },
    ticks: { show: false },
    font: `11px ${getComputedStyle(area).fontFamily}`,
  }
  if (plot.step) return bars(area, plot, axis)
  const time = clock(plot, plot.days ? { day: "numeric", month: "short" } : { hour: "numeric", minute: "2-digit" })
  const few = plot.series.some(({ values }) => values.filter((value) => value != null).length < 3)
  return {
    width: area.clientWidth,
    height: area.clientHeight,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), plot.zone),
    cursor: { y: false, points: { size: 6 }, drag: { x: false } },
    legend: { show: false },
    scales: { y: { range: (_, low, high) => [0, Math.max(high ?? 0, plot.unit ? 0.01 : 1) * 1.05] } },
    axes: [
      { ...axis, size: 30, values: (_, ticks) => ticks.map((tick) => time.format(tick * 1000)) },
      { ...axis, size: 56, incrs: plot.unit ? undefined : whole, values: (_, ticks) => ticks.map((tick) => formatted(tick, plot.unit)) },
    ],
    series: [{}, ...plot.series.map((_, index) => ({ stroke: colour(area, tones[index]), width: 2, points: { show: few, size: 6 } }))],
    hooks: { setCursor: [(chart) => tell(area, JSON.parse(area.dataset.plot), chart.cursor.idx)] },
  }
}

// Stacked bars over numbers, each as wide as a step: the first series is the uppermost.
function bars(area, plot, axis) {
  const { step } = plot
  const paths = uPlot.paths.bars({ size: [0.95], align: 1 })
  return {
    width: area.clientWidth,
    height: area.clientHeight,
    cursor: { y: false, points: { show: false }, drag: { x: false } },
    legend: { show: false },
    scales: {
      x: { time: false, range: (_, low, high) => [low, high + step] },
      y: { range: (_, low, high) => [0, Math.max(high ?? 0, 1) * 1.05] },
    },
    axes: [
      { ...axis, size: 30, incrs: [1, 2, 5, 10].map((each) => each * step), values: (_, ticks) => ticks.map((tick) => formatted(tick)) },
      { ...axis, size: 56, incrs: whole, values: (_, ticks) => ticks.map((tick) => formatted(tick)) },
    ],
    series: [{}, ...plot.series.map((_, index) => ({ stroke: colour(area, tones[index]), fill: colour(area, tones[index]), width: 0, paths, points: { show: false } }))],
    hooks: { setCursor: [(chart) => tell(area, JSON.parse(area.dataset.plot), chart.cursor.idx)] },
  }
}

// Each series of bars stands on those after it.
function stacked(series) {
  return series.map((_, from) => series[0].values.map((_, at) => series.slice(from).reduce((sum, { values }) => sum + values[at], 0)))
}

function draw(area) {
  const figures = area.dataset.plot
  const known = drawn.get(area)
  if (known?.figures === figures) return
  const plot = JSON.parse(figures)
  const data = [plot.x, ...(plot.step ? stacked(plot.series) : plot.series.map((each) => each.values))]
  if (known) known.chart.setData(data)
  else if (area.clientWidth) new ResizeObserver(() => drawn.get(area)?.chart.setSize({ width: area.clientWidth, height: area.clientHeight })).observe(area)
  else return
  drawn.set(area, { figures, chart: known?.chart ?? new uPlot(options(area, plot), data, area) })
}

function redraw() {
  for (const area of document.querySelectorAll("[data-plot]")) {
    drawn.get(area)?.chart.destroy()
    drawn.delete(area)
    draw(area)
  }
}

const all = () => document.querySelectorAll("[data-plot]").forEach(draw)
document.addEventListener("live:shown", all)
document.addEventListener("htmx:afterSettle", all)
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw)
all()
