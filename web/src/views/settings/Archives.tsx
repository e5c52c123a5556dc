import { Group, SegmentedControl, Stack, Text, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useInfiniteQuery } from '@tanstack/react-query'
import type { Schema } from '../../api/client'
import { pages } from '../../api/queries'
import { useSearch } from '../../app/search'
import { hrefWith } from '../../logic/hrefs'
import { Rows, type Column } from '../../parts/Rows'
import { Section } from '../../parts/Section'
import { Empty } from '../../parts/State'
import { When } from '../../parts/When'
import { Archive } from './Archive'
import { bytes } from './bytes'

type Piece = Schema<'ArchiveOut'>

const columns: Column<Piece>[] = [
  { name: 'Of', width: 'minmax(7rem, 1fr)', cell: (piece) => piece.subject.replaceAll('_', ' ') },
  { name: 'State', width: '6.5rem', cell: (piece) => piece.state },
  { name: 'Rows', width: '5rem', cell: (piece) => piece.rows?.toLocaleString('en') ?? '–', from: 420 },
  { name: 'Size', width: '5.5rem', cell: (piece) => bytes(piece.bytes), from: 620 },
  { name: 'Begun', width: '6.5rem', cell: (piece) => <When at={piece.planned_at} />, from: 520 },
  { name: 'Copy until', width: '6.5rem', cell: (piece) => <When at={piece.restored_until} none="–" />, from: 720 },
]

const SUBJECTS = [
  { value: '', label: 'All' }, { value: 'findings', label: 'Findings' }, { value: 'changes', label: 'Changes' },
  { value: 'audit_events', label: 'The log' },
]

/** Pieces of the archive, and copies of them for reading. */
export function Archives() {
  const [search, set] = useSearch()
  const [holds] = useDebouncedValue((search.holds ?? '').trim(), 300)
  const { subject } = search
  const wanted = { ...(subject ? { subject } : {}), ...(holds ? { holds } : {}) }
  const rows = useInfiniteQuery(pages('/api/v1/archives', wanted, 100))
  return (
    <Stack gap="md">
      <Section title="Archive">
        <Stack gap="xs">
          <Text size="sm" className="faint">
            Each piece is an object of its own with its SHA-256, read back before its rows left the database.
          </Text>
          <Group gap="xs" align="flex-end">
            <SegmentedControl
              aria-label="Which pieces" value={subject ?? ''} onChange={(next) => set({ subject: next })}
              data={SUBJECTS}
            />
            <TextInput
              aria-label="Which piece holds a thing" placeholder="Id of a thing it holds" value={search.holds ?? ''}
              flex="1 1 12rem"
              maw={360} onChange={(event) => set({ holds: event.currentTarget.value })}
            />
          </Group>
          <Rows
            label="Pieces of the archive" query={rows} columns={columns} id={(piece) => piece.id} height="20rem"
            to={(piece) => hrefWith('/settings', search, { piece: piece.id })}
            empty={<Empty title="Nothing is in the archive">What is old enough goes there.</Empty>}
          />
        </Stack>
      </Section>
      {search.piece && <Archive key={search.piece} id={search.piece} />}
    </Stack>
  )
}
