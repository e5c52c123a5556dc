import { Group, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { get } from '../../api/queries'
import { useSearch } from '../../app/search'
import { useMay } from '../../app/session'
import { bundlesOf, SHIPPED, type ListedBundle } from '../../logic/policyBundles'
import { needed } from '../../logic/roles'
import { Outside } from '../../parts/Outside'
import { PlainTable, type PlainColumn } from '../../parts/PlainTable'
import { Section } from '../../parts/Section'
import { Loaded } from '../../parts/State'
import { MayButton } from '../../parts/Sure'
import { Tone } from '../../parts/Tone'
import { When } from '../../parts/When'
import { Activate } from './Activate'
import { OwnBundle, ShippedBundle } from './Bundle'
import { UploadBundle } from './UploadBundle'

/** Policy bundles: which one decides, what is in each, and another one in its place. */
export function Policies() {
  const own = useQuery(get('/api/v1/policies'))
  const shipped = useQuery(get('/api/v1/policies/shipped'))
  const [search, set] = useSearch()
  const [uploading, upload] = useState(false)
  const why = useMay('policy.write') ? undefined : needed('policy.write')
  const bundles = bundlesOf(own.data ?? [], shipped.data)
  const active = bundles.find((bundle) => bundle.decides)
  const chosen = bundles.find((bundle) => bundle.id === search.bundle) ?? active ?? bundles[0]

  const columns: PlainColumn<ListedBundle>[] = [
    {
      name: 'Bundle',
      cell: (bundle) => (
        <Group gap={6}>
          <Outside>{bundle.title}</Outside>
          {bundle.decides && <Tone of="green">decides</Tone>}
        </Group>
      ),
    },
    { name: 'SHA-256', cell: (bundle) => <span className="mono" title={bundle.hash}>{bundle.hash.slice(0, 12)}</span> },
    {
      name: 'Uploaded',
      cell: ({ own }) => own ? <When at={own.created_at} /> : <span className="faint">comes with the server</span>,
    },
    {
      name: 'Activated',
      cell: ({ own }) => own
        ? <When at={own.active_from} />
        : <span className="faint">decides until another is activated</span>,
    },
    {
      name: 'Actions',
      cell: (bundle) => (
        <Group gap={6}>
          <MayButton onClick={() => set({ bundle: bundle.id, file: undefined })} aria-label={`Show ${bundle.title}`}>
            Show
          </MayButton>
          {bundle.own && !bundle.decides && <Activate bundle={bundle.own} active={active} why={why} />}
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
          decides at a time: the one activated last, and the one that ships where none was. Versions never change;
          decisions and approvals name the one they were made by.
        </Text>
        <Loaded query={own} rows={3}>
          {() => (
            <Loaded query={shipped} rows={3}>
              {() => (
                <PlainTable
                  label="Policy bundles" columns={columns} rows={bundles} id={(row) => row.id} chosen={chosen?.id}
                />
              )}
            </Loaded>
          )}
        </Loaded>
      </Section>
      {chosen?.own && <OwnBundle key={chosen.id} id={chosen.id} bundle={chosen} />}
      {chosen?.id === SHIPPED && shipped.data && (
        <ShippedBundle key={SHIPPED} bundle={chosen} files={shipped.data.files} />
      )}
      <UploadBundle opened={uploading} onClose={() => upload(false)} from={chosen} shipped={shipped.data} />
    </Stack>
  )
}
