import { Alert, Button, Group, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, type Schema } from '../../api/client'
import { get } from '../../api/queries'
import { useMay } from '../../app/session'
import { needed } from '../../logic/roles'
import { PlainTable, type PlainColumn } from '../../parts/PlainTable'
import { Section } from '../../parts/Section'
import { Empty, Loaded } from '../../parts/State'
import { Sure } from '../../parts/Sure'
import { useTouch } from '../../parts/useTouch'
import { stays } from './classes'

type Plan = Schema<'RetentionPlanOut'>

const columns: PlainColumn<Plan>[] = [
  { name: 'Kind', cell: (plan) => plan.subject.replaceAll('_', ' ') },
  { name: 'Class', cell: (plan) => plan.class },
  { name: 'Would go', cell: (plan) => plan.go.toLocaleString('en') },
  {
    name: 'Stays, although old enough to be looked at',
    cell: (plan) => stays(plan.stay) || <span className="faint">nothing</span>,
  },
]

/** What a run would archive or delete now, and the run itself. */
export function RetentionPlan() {
  const [looked, look] = useState(false)
  const [done, tell] = useState<Schema<'DoneOut'>>()
  const plan = useQuery({ ...get('/api/v1/retention/plan'), enabled: looked })
  const why = useMay('retention.write') ? undefined : needed('retention.write')
  const touch = useTouch()
  const going = (plan.data ?? []).reduce((sum, one) => sum + one.go, 0)
  return (
    <Section
      title="What goes next"
      aside={
        <Group gap="xs">
          <Button
            size="compact-sm" variant="default" loading={plan.isFetching}
            onClick={() => (looked ? void plan.refetch() : look(true))}
          >
            Look
          </Button>
          <Sure
            label="Archive now" title="Archive what is due now?" why={why} color="red"
            button={{ size: 'compact-sm' }}
            act={async () => {
              const { data } = await api.POST('/api/v1/archives/run', {})
              await touch('archives', 'retention')
              tell(data)
            }}
          >
            {plan.data ? `${going.toLocaleString('en')} things go. ` : ''}What is due goes to the archive and leaves
            the database once it was read back there; conversations and notifications that are due are deleted without
            a copy. The server does the same every hour.
          </Sure>
        </Group>
      }
    >
      <Stack gap="xs">
        {done && (
          <Alert color="green" variant="light" role="status">
            {done.stored} pieces with {done.rows.toLocaleString('en')} rows were put into the archive,{' '}
            {done.removed} left the database, {done.deleted.toLocaleString('en')} rows were deleted without a copy.
          </Alert>
        )}
        {!looked && <Text size="sm" className="faint">Looking changes nothing.</Text>}
        {looked && (
          <Loaded query={plan} rows={4}>
            {(rows) => rows.length === 0
              ? <Empty title="Nothing is old enough" />
              : <PlainTable label="What goes next" columns={columns} rows={rows} id={(one) => one.subject} />}
          </Loaded>
        )}
      </Stack>
    </Section>
  )
}
