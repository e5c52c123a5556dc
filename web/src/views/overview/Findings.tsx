import { useMemo } from 'react'
import type { Schema } from '../../api/client'
import { daily, dailyMean, daysOf, meanToResolve, secondsOf, tellDays, type Period } from '../../logic/overview'
import { severities, severityColor } from '../../logic/severities'
import { duration } from '../../logic/time'
import { Chart, type ChartSeries } from '../../parts/Chart'
import { Section } from '../../parts/Section'
import { Empty, Loaded } from '../../parts/State'
import { useTrends } from './figures'
import { useToday } from './today'
import classes from './Overview.module.css'

const HOUR_S = 3_600

/** Findings by the day they came up. */
export function Findings({ period }: { period: Period }) {
  const trends = useTrends(period)
  return (
    <Section title={`Findings that came up in ${period} days`}>
      <Loaded query={trends} rows={6}>{({ findings }) => <Days rows={findings} period={period} />}</Loaded>
    </Section>
  )
}

/** How long it takes until they are over. */
export function Resolving({ period }: { period: Period }) {
  const trends = useTrends(period)
  return (
    <Section title="Time to resolve">
      <Loaded query={trends} rows={4}>{({ findings }) => <Times rows={findings} period={period} />}</Loaded>
    </Section>
  )
}

interface RowsProps {
  rows: Schema<'DayOut'>[]
  period: Period
}

/** The days of a period, the same until midnight. */
function useDays(period: Period) {
  const today = useToday()
  return useMemo(() => {
    const days = daysOf(period, Date.parse(today))
    return { days, x: days.map(secondsOf) }
  }, [period, today])
}

function Days({ rows, period }: RowsProps) {
  const { days, x } = useDays(period)
  const series = useMemo((): ChartSeries[] => {
    const counts = daily(rows, days)
    return severities.map((severity) => ({
      name: severity, values: counts[severity], color: severityColor[severity], as: 'bars',
    }))
  }, [rows, days])
  if (rows.length === 0) return <Empty title={`No finding came up in ${period} days`} />
  return (
    <Chart
      label="Findings by day and severity" summary={tellDays(rows, days)} x={x} series={series} time="utc" stack whole
      xName="Day"
    />
  )
}

function Times({ rows, period }: RowsProps) {
  const { days, x } = useDays(period)
  const means = useMemo((): ChartSeries[] => [{
    name: 'mean time to resolve',
    values: dailyMean(rows, days).map((mean) => (mean === null ? null : mean / HOUR_S)),
    color: 'light-dark(var(--mantine-color-teal-8), var(--mantine-color-teal-4))',
  }], [rows, days])
  const over = rows.reduce((sum, row) => sum + row.resolved, 0)
  const all = rows.reduce((sum, row) => sum + row.opened, 0)
  const mean = meanToResolve(rows)
  if (mean === undefined) return <Empty title={`No finding of ${period} days is over`} />
  return (
    <>
      <div className={classes.figures}>
        <Figure value={duration(mean * 1_000)} label="mean time to resolve" />
        <Figure value={over.toLocaleString('en')} label={`of ${all.toLocaleString('en')} are over`} />
      </div>
      <ul className={classes.inline}>
        {severities.map((severity) => {
          const one = meanToResolve(rows.filter((row) => row.severity === severity))
          return <li key={severity}>{severity}: {one === undefined ? '–' : duration(one * 1_000)}</li>
        })}
      </ul>
      <Chart
        label="Mean time to resolve, by the day findings came up" x={x} series={means} time="utc" xName="Day"
        height={150} showY={(hours) => duration(hours * HOUR_S * 1_000)}
        summary={`Mean time to resolve by day: ${duration(mean * 1_000)} over ${period} days.`}
      />
    </>
  )
}

/** A number one reads from across the room. */
export function Figure({ value, label }: { value: string; label: string }) {
  return <p className={classes.figure}><b>{value}</b> <span>{label}</span></p>
}
