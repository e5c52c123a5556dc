import { useMemo } from 'react'
import { curves } from '../../logic/beta'
import { percent } from '../../logic/decision'
import { Chart, type ChartSeries } from '../../parts/Chart'
import type { Belief } from './beliefs'

const HUES = ['teal', 'orange', 'grape', 'blue', 'red', 'lime', 'pink', 'yellow']
const colour = (index: number) => {
  const hue = HUES[index % HUES.length]
  return `light-dark(var(--mantine-color-${hue}-8), var(--mantine-color-${hue}-4))`
}

/** Densities of what is believed, one curve a category; the chosen one filled, those of a prior dashed. */
export function Densities({ of, chosen }: { of: Belief[]; chosen: string | undefined }) {
  const { x, series } = useMemo(() => {
    const drawn = curves(of.map((one) => one.posterior))
    const lines = of.map((one, index): ChartSeries => ({
      name: one.n === 0 ? `${one.category} (prior)` : one.category,
      values: drawn.y[index] ?? [],
      color: colour(index),
      as: one.category === chosen ? 'area' : 'line',
      dashed: one.n === 0,
    }))
    return { x: drawn.x, series: lines }
  }, [of, chosen])
  const told = of.map(({ category, mean, interval }) =>
    `${category}: mean ${percent(mean)}, between ${percent(interval.low)} and ${percent(interval.high)}`)
  return (
    <Chart
      label="Density of the probability of failure by category"
      summary={`Believed probability of failure. ${told.join('; ')}.`}
      xName="Probability of failure"
      x={x}
      series={series}
      showX={(value) => percent(value)}
      showY={(value) => value.toFixed(value < 10 ? 1 : 0)}
      height={260}
      tableRows={25}
    />
  )
}
