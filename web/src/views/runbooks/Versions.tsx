import { Button, Group, Select, Stack, Text } from '@mantine/core'
import type { Schema } from '../../api/client'
import { useSearch } from '../../app/search'
import { ActorName } from '../../parts/ActorName'
import { Outside } from '../../parts/Outside'
import { PlainTable } from '../../parts/PlainTable'
import { Section } from '../../parts/Section'
import { Empty } from '../../parts/State'
import { When } from '../../parts/When'
import { LineDiff } from './LineDiff'

/** The text in the editor, as the URL calls it. */
const EDITED = 'edited'

interface VersionsProps {
  versions: Schema<'VersionOut'>[]
  /** What is written and not saved, when anything is. */
  edited: string | undefined
}

/** The versions of a runbook, and what differs between any two. */
export function Versions({ versions, edited }: VersionsProps) {
  const [search, set] = useSearch()
  const newest = versions[0]
  if (!newest) return <Empty title="No version is kept" />
  const known = (value: string | undefined) =>
    value === EDITED ? edited !== undefined : versions.some((one) => String(one.version) === value)
  const to = known(search.to) ? search.to ?? '' : edited !== undefined ? EDITED : String(newest.version)
  const before = to === EDITED ? newest.version : Number(to) - 1
  const from = known(search.from) ? search.from ?? '' : known(String(before)) ? String(before) : String(newest.version)
  const textOf = (value: string) =>
    value === EDITED ? edited ?? '' : versions.find((one) => String(one.version) === value)?.yaml ?? ''
  const nameOf = (value: string) => (value === EDITED ? 'The text in the editor' : `Version ${value}`)
  const all = [...(edited === undefined ? [] : [EDITED]), ...versions.map((one) => String(one.version))]
  const data = all.map((value) => ({ value, label: nameOf(value) }))
  const choice = (label: string, value: string, name: string) => (
    <Select
      label={label} data={data} value={value} allowDeselect={false}
      onChange={(chosen) => set({ [name]: chosen ?? undefined })}
    />
  )
  return (
    <Stack gap="md">
      <Section title="Compare">
        {all.length < 2 ? <Text size="sm">There is one version only, so there is nothing to compare.</Text> : (
          <Stack gap="sm">
            <Group gap="sm" align="flex-end">
              {choice('From', from, 'from')}
              {choice('To', to, 'to')}
            </Group>
            <LineDiff
              key={`${from} ${to}`} before={textOf(from)} after={textOf(to)} names={[nameOf(from), nameOf(to)]}
            />
          </Stack>
        )}
      </Section>
      <Section title="Versions">
        <PlainTable
          label="Versions"
          rows={versions}
          id={(one) => String(one.version)}
          chosen={all.length > 1 ? to : undefined}
          columns={[
            { name: 'Version', cell: (one) => one.version },
            { name: 'When', cell: (one) => <When at={one.created_at} /> },
            { name: 'Who', cell: (one) => <ActorName id={one.created_by} /> },
            { name: 'What changed', cell: (one) => <Outside>{one.change_summary}</Outside> },
            {
              name: 'Compare',
              cell: (one) => known(String(one.version - 1)) ? (
                <Button
                  size="compact-sm" variant="default" aria-label={`Compare version ${one.version} with the one before`}
                  onClick={() => set({ from: String(one.version - 1), to: String(one.version) })}
                >
                  With the one before
                </Button>
              ) : <span className="faint">the first</span>,
            },
          ]}
        />
      </Section>
    </Stack>
  )
}
