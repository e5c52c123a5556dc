import { Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { Schema } from '../../api/client'
import { asProblem } from '../../api/problem'
import { get } from '../../api/queries'
import { acting } from '../../logic/executionEvents'
import { firstUnderWay, UNDER_WAY } from '../../logic/executionFilters'
import { count } from '../../logic/words'
import { Entries, Entry } from '../../parts/Entries'
import { Status } from '../../parts/Marks'
import { Section } from '../../parts/Section'
import { Failed } from '../../parts/State'
import { When } from '../../parts/When'
import { Elapsed } from './Elapsed'

const FEW = 8

/** What runs just now, what waits, and what needs somebody. Not there when nothing does. */
export function UnderWay() {
  const query = { state: [...UNDER_WAY], limit: 100, sort: 'created_at' as const }
  const rows = useQuery(get('/api/v1/executions', { params: { query } }))
  if (rows.error && !rows.data) return <Failed problem={asProblem(rows.error)} retry={() => void rows.refetch()} />
  const all = firstUnderWay(rows.data?.items ?? [])
  if (all.length === 0) return null
  const running = all.filter((row) => acting(row.state)).length
  const more = rows.data?.has_next ? ' or more' : ''
  return (
    <Section
      title={`Under way: ${all.length}${more}`}
      aside={<Text size="sm" className="faint">{count(running, 'runs', 'run')} just now</Text>}
    >
      <Entries>{all.slice(0, FEW).map((row) => <Run key={row.id} row={row} />)}</Entries>
      {all.length > FEW && (
        <Text size="sm" mt="xs">
          and{' '}
          <Link to="/executions" search={{ state: UNDER_WAY.join(',') } as never}>
            {count(all.length - FEW, 'more', 'more')}{more}
          </Link>
        </Text>
      )}
    </Section>
  )
}

function Run({ row }: { row: Schema<'ExecutionOut'> }) {
  return (
    <Entry to={`/executions/${row.id}`} title={row.summary}>
      <Status of={row.state} />
      {row.cancel_requested && <span>asked to stop</span>}
      {acting(row.state) && row.started_at
        ? <Elapsed since={row.started_at} words=" so far" />
        : <span>asked <When at={row.created_at} /></span>}
    </Entry>
  )
}
