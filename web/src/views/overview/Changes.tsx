import { Title } from '@mantine/core'
import type { Schema } from '../../api/client'
import { percent } from '../../logic/chart'
import { autonomy, endings, type Period } from '../../logic/overview'
import { count } from '../../logic/words'
import { Section } from '../../parts/Section'
import { Empty, Loaded } from '../../parts/State'
import { Figure } from './Findings'
import { useTrends } from './figures'
import { Share } from './Share'
import classes from './Overview.module.css'

/** What was done, who let it start, and whether it did what it should. */
export function Changes({ period }: { period: Period }) {
  const trends = useTrends(period)
  return (
    <Section title={`Actions that ended in ${period} days`}>
      <Loaded query={trends} rows={6}>{(found) => <Told trends={found} period={period} />}</Loaded>
    </Section>
  )
}

const GRAY = 'light-dark(var(--mantine-color-gray-5), var(--mantine-color-dark-2))'
const GREEN = 'light-dark(var(--mantine-color-green-8), var(--mantine-color-green-5))'
const ORANGE = 'light-dark(var(--mantine-color-orange-7), var(--mantine-color-orange-5))'
const RED = 'light-dark(var(--mantine-color-red-8), var(--mantine-color-red-5))'
const TEAL = 'light-dark(var(--mantine-color-teal-8), var(--mantine-color-teal-4))'
const BLUE = 'light-dark(var(--mantine-color-blue-7), var(--mantine-color-blue-4))'
const VIOLET = 'light-dark(var(--mantine-color-violet-7), var(--mantine-color-violet-4))'

function Told({ trends, period }: { trends: Schema<'TrendsOut'>; period: Period }) {
  const { changes, change_failure_rate: rate, recommendations: advice } = trends
  const all = changes.reduce((sum, one) => sum + one.count, 0)
  const came = endings(changes)
  const by = autonomy(changes)
  return (
    <>
      <div className={classes.figures}>
        <Figure value={all.toLocaleString('en')} label="ended" />
        <Figure value={typeof rate === 'number' ? percent(rate) : '–'} label="change failure rate" />
        <Figure
          value={advice.made > 0 ? percent(advice.implemented / advice.made) : '–'}
          label={`of ${count(advice.made, 'recommendation')} carried out`}
        />
      </div>
      {all === 0 ? <Empty title={`No action ended in ${period} days`} /> : (
        <>
          <Title order={3} size="h5" mt="sm">Who let them start</Title>
          <Share
            label="Actions by autonomy"
            parts={[
              { name: 'automatic', count: by.automatic, color: TEAL },
              { name: 'after approval', count: by.approved, color: BLUE },
              { name: 'manual', count: by.manual, color: VIOLET },
              { name: 'another way', count: by.other, color: GRAY },
            ]}
          />
          <Title order={3} size="h5" mt="sm">What became of them</Title>
          <Share
            label="Actions by their end"
            parts={[
              { name: 'did what they should', count: came.worked, color: GREEN },
              { name: 'failed', count: came.failed, color: RED },
              { name: 'were undone', count: came.undone, color: ORANGE },
              { name: 'the way back failed', count: came.stuck, color: VIOLET },
              { name: 'never ran', count: came.never, color: GRAY },
            ]}
          />
        </>
      )}
    </>
  )
}
