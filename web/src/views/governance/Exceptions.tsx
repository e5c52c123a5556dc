import { SegmentedControl, Stack, Text } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { Schema } from '../../api/client'
import { pages } from '../../api/queries'
import { useSearch } from '../../app/search'
import { useMay } from '../../app/session'
import { hrefWith } from '../../logic/hrefs'
import { needed } from '../../logic/roles'
import { ActorName } from '../../parts/ActorName'
import { Status } from '../../parts/Marks'
import { Outside } from '../../parts/Outside'
import { Rows, type Column } from '../../parts/Rows'
import { Section } from '../../parts/Section'
import { Empty } from '../../parts/State'
import { MayButton } from '../../parts/Sure'
import { When } from '../../parts/When'
import { ExceptionDetail } from './ExceptionDetail'
import { AskException } from './AskException'

type Exception = Schema<'ExceptionOut'>

const STATUSES = ['pending', 'approved', 'rejected', 'expired']

const about = ({ finding_id, resource_id, policy_id }: Exception) =>
  [finding_id && 'a finding', resource_id && 'a resource', policy_id && 'a policy'].filter(Boolean).join(', ')

const columns: Column<Exception>[] = [
  { name: 'Why', width: 'minmax(9rem, 2fr)', cell: (row) => <Outside>{row.reason}</Outside> },
  { name: 'Status', width: '7rem', cell: (row) => <Status of={row.status} /> },
  { name: 'About', width: 'minmax(6rem, 1fr)', cell: about, from: 700 },
  { name: 'Ends', width: '6.5rem', cell: (row) => <When at={row.expires_at} />, sort: 'expires_at', from: 420 },
  { name: 'Asked by', width: 'minmax(6rem, 10rem)', cell: (row) => <ActorName id={row.created_by} />, from: 860 },
  { name: 'Asked', width: '6.5rem', cell: (row) => <When at={row.created_at} />, sort: 'created_at', from: 980 },
]

const SORTS = ['-created_at', 'created_at', '-expires_at', 'expires_at'] as const

/** Exceptions: what may stand for a while although a rule says otherwise, and until when. */
export function Exceptions() {
  const [search, set] = useSearch()
  const [asking, ask] = useState(false)
  const why = useMay('intents.propose') ? undefined : needed('intents.propose')
  const status = STATUSES.find((one) => one === search.status)
  const sort = SORTS.find((one) => one === search.sort) ?? '-created_at'
  const rows = useInfiniteQuery(pages('/api/v1/exceptions', { ...(status ? { status: [status] } : {}), sort }, 100))
  return (
    <Stack gap="md">
      <Section
        title="Exceptions"
        aside={<MayButton size="compact-sm" why={why} onClick={() => ask(true)}>Ask for one</MayButton>}
      >
        <Stack gap="xs">
          <Text size="sm" className="faint">
            An exception lets a finding stand, or a provider’s policy be broken, for a while. Somebody else approves it; it
            ends by itself, or when it is revoked. The gate’s own rules know none.
          </Text>
          <SegmentedControl
            aria-label="Which exceptions" value={status ?? ''}
            onChange={(next) => set({ status: next, exception: undefined })}
            data={[{ value: '', label: 'All' }, ...STATUSES.map((one) => ({ value: one, label: one }))]} w="fit-content"
            maw="100%"
          />
          <Rows
            label="Exceptions" query={rows} columns={columns} id={(row) => row.id} height="26rem"
            to={(row) => hrefWith('/governance', search, { exception: row.id })}
            sort={sort} onSort={(next) => set({ sort: next })}
            empty={<Empty title="There is none">Whatever a rule speaks against is open, or put right.</Empty>}
          />
        </Stack>
      </Section>
      {search.exception && <ExceptionDetail key={search.exception} id={search.exception} />}
      <AskException opened={asking} onClose={() => ask(false)} />
    </Stack>
  )
}
