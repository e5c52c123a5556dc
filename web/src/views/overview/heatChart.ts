// Only what a heat map needs of the library; this module is loaded when one is drawn first.
import { HeatmapChart } from 'echarts/charts'
import { GridComponent, TooltipComponent, VisualMapComponent } from 'echarts/components'
import { init, use, type EChartsType } from 'echarts/core'
import { CanvasRenderer } from 'echarts/renderers'
import { timeLabels } from '../../logic/chart'
import { secondsOf, type Heat } from '../../logic/overview'
import { shown } from '../../logic/visible'

use([HeatmapChart, GridComponent, TooltipComponent, VisualMapComponent, CanvasRenderer])

/** Colours as a canvas takes them. */
export interface Colors {
  text: string
  faint: string
  edge: string
  card: string
  /** From the least to the most. */
  scale: string[]
}

const DAY_S = 86_400
const LONGEST = 22
const cut = (name: string) => (name.length > LONGEST ? `${name.slice(0, LONGEST - 1)}…` : name)

/** `2026-03-01` → `Mar 1`; other words as they are. */
function day(word: string): string {
  if (!/^\d{4}-\d\d-\d\d$/.test(word)) return word
  return timeLabels([secondsOf(word)], DAY_S, 'utc')[0] ?? word
}

/** Draws a heat map into `element`. */
export function drawHeat(element: HTMLElement, heat: Heat, colors: Colors, numbers: boolean): EChartsType {
  const { rows, columns, cells } = heat
  const data = cells.flatMap((row, y) => row.flatMap((count, x) => (count === null ? [] : [[x, y, count]])))
  const most = Math.max(1, ...data.map(([, , count]) => count ?? 0))
  const chart = init(element, undefined, { renderer: 'canvas' })
  const axis = { axisLine: { show: false }, axisTick: { show: false }, splitArea: { show: false } }
  chart.setOption({
    animation: false,
    grid: { left: 8, right: 8, top: 8, bottom: 8, containLabel: true },
    tooltip: {
      // As a drawing: the page's policy forbids styles in HTML.
      renderMode: 'richText',
      backgroundColor: colors.card,
      borderColor: colors.edge,
      textStyle: { color: colors.text, fontFamily: getComputedStyle(element).fontFamily },
      formatter: (point: { value?: unknown }) => {
        const [x, y, count] = Array.isArray(point.value) ? (point.value as number[]) : []
        return `${shown(rows[y ?? -1] ?? '')}, ${columns[x ?? -1] ?? ''}: ${count ?? 0}`
      },
    },
    xAxis: {
      ...axis, type: 'category', data: columns, axisLabel: { color: colors.faint, hideOverlap: true, formatter: day },
    },
    yAxis: {
      ...axis, type: 'category', inverse: true, data: rows.map(shown),
      axisLabel: { color: colors.text, fontSize: 13, interval: 0, formatter: cut },
    },
    visualMap: { show: false, min: 0, max: most, inRange: { color: colors.scale } },
    series: [{
      type: 'heatmap',
      data,
      itemStyle: { borderColor: colors.card, borderWidth: 1 },
      label: {
        show: numbers, color: colors.text, fontSize: 15, fontWeight: 'bold', textBorderColor: colors.card,
        textBorderWidth: 3,
      },
      emphasis: { itemStyle: { borderColor: colors.text, borderWidth: 2 } },
    }],
  })
  return chart
}
