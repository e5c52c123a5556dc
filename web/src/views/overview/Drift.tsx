import { SegmentedControl, Text, Title } from '@mantine/core'
import { useMemo } from 'react'
import { useSearch } from '../../app/search'
import { percent } from '../../logic/chart'
import { daysOf, heat, tally, type Period } from '../../logic/overview'
import { severities } from '../../logic/severities'
import { duration } from '../../logic/time'
import { Section } from '../../parts/Section'
import { Empty, Loaded } from '../../parts/State'
import { useEnvironments } from '../estate/data'
import { useDashboard, useDriftDays, useDriftSummary } from './figures'
import { Figure } from './Findings'
import { HeatMap } from './HeatMap'
import { Share } from './Share'
import { useToday } from './today'
import classes from './Overview.module.css'

/** Rows of a heat map that can still be told apart from across the room. */
const MOST_ROWS = 20
const NOWHERE = 'no environment'

/** Drift by environment: when it came up, or how bad what is open is. */
export function DriftMap({ period }: { period: Period }) {
  const [search, set] = useSearch()
  const by = search.drift === 'severity' ? 'severity' : 'day'
  return (
    <Section
      title="Drift by environment"
      aside={
        <SegmentedControl
          size="xs" aria-label="Drift by" value={by}
          onChange={(next) => set({ drift: next === 'day' ? undefined : next })}
          data={[{ value: 'day', label: 'Found, by day' }, { value: 'severity', label: 'Open now, by severity' }]}
        />
      }
    >
      {by === 'day' ? <ByDay period={period} /> : <BySeverity />}
    </Section>
  )
}

/** How much drift there was, why, and what was done about it. */
export function Drift({ period }: { period: Period }) {
  const summary = useDriftSummary(period)
  return (
    <Section title={`Drift in ${period} days`}>
      <Loaded query={summary} rows={2}>
        {(sum) => {
          const causes = tally(sum.top_cause_categories).slice(0, 5)
          const { recommendation_adoption_rate: followed, avg_resolution_time: took } = sum
          return (
            <>
              <div className={classes.figures}>
                <Figure value={sum.total_drifts.toLocaleString('en')} label="found" />
                <Figure value={sum.resolved_drifts.toLocaleString('en')} label="put right" />
                <Figure
                  value={typeof took === 'number' ? duration(took * 1_000) : '–'}
                  label="until it was, on average"
                />
                <Figure
                  value={typeof followed === 'number' ? percent(followed) : '–'}
                  label="of the advice about it followed"
                />
              </div>
              {causes.length > 0 && (
                <>
                  <Title order={3} size="h5" mt="sm">Why, where a cause was found</Title>
                  <Share
                    label="Drift by cause"
                    parts={causes.map(({ word, count }, at) => ({
                      name: word.replaceAll('_', ' '), count, color: CAUSES[at] ?? 'var(--edge)',
                    }))}
                  />
                </>
              )}
            </>
          )
        }}
      </Loaded>
    </Section>
  )
}

const CAUSES = ['teal', 'blue', 'violet', 'grape', 'cyan'].map(
  (color) => `light-dark(var(--mantine-color-${color}-7), var(--mantine-color-${color}-4))`,
)

/** What people call environments, for a drawing. */
function useNames() {
  const environments = useEnvironments().data
  return useMemo(() => {
    const items = environments?.items ?? []
    const twice = (name: string) => items.filter((one) => one.name === name).length > 1
    return new Map(items.map(({ id, name, slug }) => [id, twice(name) ? `${name} (${slug})` : name]))
  }, [environments])
}

function ByDay({ period }: { period: Period }) {
  const found = useDriftDays(period)
  const names = useNames()
  const today = useToday()
  const drawn = useMemo(() => {
    const counts = (found.data?.items ?? []).map(({ environment_id, date, total_drifts = 0 }) => ({
      row: names.get(environment_id) ?? environment_id, column: date, count: total_drifts,
    }))
    return heat(counts, daysOf(period, Date.parse(today)), MOST_ROWS)
  }, [found.data, names, period, today])
  return (
    <Loaded query={found} rows={4}>
      {() => drawn.rows.length === 0 ? (
        <Empty title={`No drift was counted in ${period} days`}>It is counted once a day, by environment.</Empty>
      ) : (
        <>
          <HeatMap label="Drift found, by environment and day" heat={drawn} rowName="Environment" />
          <Left count={drawn.left} />
        </>
      )}
    </Loaded>
  )
}

function BySeverity() {
  const dashboard = useDashboard()
  const names = useNames()
  const drawn = useMemo(() => {
    const counts = (dashboard.data?.open_drift ?? []).map(({ environment_id, severity, count }) => ({
      row: environment_id ? names.get(environment_id) ?? environment_id : NOWHERE, column: severity, count,
    }))
    return heat(counts, [...severities], MOST_ROWS)
  }, [dashboard.data, names])
  return (
    <Loaded query={dashboard} rows={4}>
      {() => drawn.rows.length === 0 ? <Empty title="No drift is open" /> : (
        <>
          <HeatMap label="Open drift, by environment and severity" heat={drawn} rowName="Environment" numbers />
          <Left count={drawn.left} />
        </>
      )}
    </Loaded>
  )
}

function Left({ count }: { count: number }) {
  if (count === 0) return null
  return (
    <Text size="xs" className="faint">The {MOST_ROWS} environments with the most; {count} more are not drawn.</Text>
  )
}
