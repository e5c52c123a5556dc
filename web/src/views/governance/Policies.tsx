import { Group, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { Schema } from '../../api/client'
import { get } from '../../api/queries'
import { useSearch } from '../../app/search'
import { useMay } from '../../app/session'
import { needed } from '../../logic/roles'
import { Outside } from '../../parts/Outside'
import { PlainTable, type PlainColumn } from '../../parts/PlainTable'
import { Section } from '../../parts/Section'
import { Empty, Loaded } from '../../parts/State'
import { MayButton } from '../../parts/Sure'
import { Tone } from '../../parts/Tone'
import { When } from '../../parts/When'
import { Activate } from './Activate'
import { Bundle } from './Bundle'
import { UploadBundle } from './UploadBundle'

type PolicyBundle = Schema<'BundleOut'>

/** The bundle that decides: of those that ever did, the one activated last. */
function activeOf(bundles: PolicyBundle[]): PolicyBundle | undefined {
  return bundles
    .filter((bundle) => bundle.active_from)
    .sort((a, b) => Date.parse(b.active_from ?? '') - Date.parse(a.active_from ?? ''))[0]
}

/** Policy bundles: which one decides, what is in each, and another one in its place. */
export function Policies() {
  const bundles = useQuery(get('/api/v1/policies'))
  const [search, set] = useSearch()
  const [uploading, upload] = useState(false)
  const why = useMay('policy.write') ? undefined : needed('policy.write')
  const active = bundles.data && activeOf(bundles.data)
  const chosen = bundles.data?.find((bundle) => bundle.id === search.bundle) ?? active ?? bundles.data?.[0]

  const columns: PlainColumn<PolicyBundle>[] = [
    {
      name: 'Bundle',
      cell: (bundle) => (
        <Group gap={6}>
          <Outside>{`${bundle.name} ${bundle.version}`}</Outside>
          {bundle.id === active?.id && <Tone of="green">decides</Tone>}
        </Group>
      ),
    },
    { name: 'SHA-256', cell: (bundle) => <span className="mono" title={bundle.hash}>{bundle.hash.slice(0, 12)}</span> },
    { name: 'Uploaded', cell: (bundle) => <When at={bundle.created_at} /> },
    { name: 'Activated', cell: (bundle) => <When at={bundle.active_from} /> },
    {
      name: 'Actions',
      cell: (bundle) => (
        <Group gap={6}>
          <MayButton
            onClick={() => set({ bundle: bundle.id, file: undefined })}
            aria-label={`Show ${bundle.name} ${bundle.version}`}
          >
            Show
          </MayButton>
          {bundle.id !== active?.id && <Activate bundle={bundle} active={active} why={why} />}
        </Group>
      ),
    },
  ]

  return (
    <Stack gap="md">
      <Section
        title="Policy bundles"
        aside={<MayButton why={why} size="compact-sm" onClick={() => upload(true)}>Upload a bundle</MayButton>}
      >
        <Text size="sm" className="faint" mb="xs">
          The policy says of each change whether it may run, who has to approve it, and within which bounds. One bundle
          decides at a time. Versions never change; decisions and approvals name the one they were made by.
        </Text>
        <Loaded query={bundles} rows={3}>
          {(rows) => rows.length === 0 ? (
            <Empty title="No bundle was uploaded">The one that is shipped decides.</Empty>
          ) : (
            <PlainTable label="Policy bundles" columns={columns} rows={rows} id={(row) => row.id} chosen={chosen?.id} />
          )}
        </Loaded>
      </Section>
      {chosen && <Bundle key={chosen.id} bundle={chosen} decides={chosen.id === active?.id} />}
      <UploadBundle opened={uploading} onClose={() => upload(false)} from={chosen} />
    </Stack>
  )
}
