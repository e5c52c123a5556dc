import { Group, Stack, Text } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { pages } from '../../api/queries'
import { useSearch } from '../../app/search'
import { useMay } from '../../app/session'
import { needed } from '../../logic/roles'
import { duration } from '../../logic/time'
import { count } from '../../logic/words'
import { Status } from '../../parts/Marks'
import { Outside } from '../../parts/Outside'
import { PlainTable, type PlainColumn } from '../../parts/PlainTable'
import { Section } from '../../parts/Section'
import { Empty, Loaded } from '../../parts/State'
import { MayButton } from '../../parts/Sure'
import { useAll } from '../../parts/useAll'
import { When } from '../../parts/When'
import { BreakerActions, NewBreaker } from './BreakerActions'
import { BreakerHistory } from './BreakerHistory'
import { Scope, type Breaker } from './BreakerScope'

/** Where a breaker stands, in words. */
function Stand({ breaker }: { breaker: Breaker }) {
  const { state, failure_count: failures, failure_threshold: most } = breaker
  if (state === 'closed') {
    return <>{failures === 0 ? 'no failure since the last success' : `${failures} of ${most} failures`}</>
  }
  if (state === 'half_open') {
    const { success_count: successes, success_threshold: enough } = breaker
    return <>on trial since <When at={breaker.half_open_at} />: {successes} of {enough} successes</>
  }
  if (breaker.manual_reason) {
    return <>opened by hand <When at={breaker.opened_at} />: <Outside>{breaker.manual_reason}</Outside></>
  }
  const retry = <When at={breaker.retry_at} none="when somebody closes it" />
  return <>opened <When at={breaker.opened_at} />, tried again {retry}</>
}

const worst = ['open', 'half_open', 'closed']

/** Circuit breakers: after repeated failures nothing of the kind starts until it was tried again. */
export function Breakers() {
  const all = useAll(useInfiniteQuery(pages('/api/v1/circuit-breakers', {}, 100)))
  const [search, set] = useSearch()
  const [making, make] = useState(false)
  const why = useMay('policy.write') ? undefined : needed('policy.write')
  const rows = [...(all.data ?? [])].sort((a, b) => worst.indexOf(a.state) - worst.indexOf(b.state))
  const chosen = rows.find((breaker) => breaker.id === search.breaker)

  const columns: PlainColumn<Breaker>[] = [
    { name: 'Of', cell: (breaker) => <Scope breaker={breaker} /> },
    { name: 'State', cell: (breaker) => <Status of={breaker.state} /> },
    { name: 'How it stands', cell: (breaker) => <Stand breaker={breaker} /> },
    {
      name: 'Opens and closes',
      cell: (breaker) => (
        <Text size="xs" className="faint">
          opens after {count(breaker.failure_threshold, 'failure')}, is tried again after{' '}
          {duration(breaker.reset_timeout_seconds * 1_000)}, closes after{' '}
          {count(breaker.success_threshold, 'success', 'successes')}
        </Text>
      ),
    },
    {
      name: 'Actions',
      cell: (breaker) => (
        <Group gap={6}>
          <MayButton
            onClick={() => set({ breaker: breaker.id === search.breaker ? undefined : breaker.id })}
            aria-label={`History of ${breaker.scope} ${breaker.scope_id}`} aria-expanded={breaker.id === search.breaker}
          >
            History
          </MayButton>
          <BreakerActions breaker={breaker} why={why} />
        </Group>
      ),
    },
  ]
  return (
    <Stack gap="md">
      <Section
        title="Circuit breakers"
        aside={<MayButton size="compact-sm" why={why} onClick={() => make(true)}>Set one up</MayButton>}
      >
        <Text size="sm" className="faint" mb="xs">
          Closed lets changes start, open lets none. An open one is tried again by itself, with waiting times that
          double up to an hour; one that was opened by hand waits for a hand. Every runbook has one from its first run
          on.
        </Text>
        <Loaded query={all} rows={4}>
          {() => rows.length === 0
            ? <Empty title="There is none yet">A runbook gets its breaker with its first run.</Empty>
            : (
              <PlainTable
                label="Circuit breakers" columns={columns} rows={rows} id={(row) => row.id} chosen={chosen?.id}
              />
            )}
        </Loaded>
      </Section>
      {chosen && <BreakerHistory key={chosen.id} breaker={chosen} />}
      <NewBreaker opened={making} onClose={() => make(false)} />
    </Stack>
  )
}
