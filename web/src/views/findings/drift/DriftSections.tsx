import { Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { Schema } from '../../../api/client'
import { get } from '../../../api/queries'
import { Section } from '../../../parts/Section'
import { Loaded } from '../../../parts/State'
import { Axes } from './Axes'
import { Differences } from './Differences'
import { Remediations } from './Remediations'
import { Subject } from './Subject'
import { WhoAndWhen } from './WhoAndWhen'

/** What a drift adds to its finding: what is declared, what is there, how bad that is, who did it. */
export function DriftSections({ finding }: { finding: Schema<'AnyFindingOut'> }) {
  const detail = useQuery(get('/api/v1/findings/{id}/detail', { params: { path: { id: finding.id } } }))
  return (
    <Loaded query={detail} rows={6}>{({ drift }) => drift
        ? <Parts finding={finding} drift={drift} />
        : (
          <Section title="What differs"><Text size="sm" className="faint">Its reporter did not say.</Text></Section>
        )}</Loaded>
  )
}

function Parts({ finding, drift }: { finding: Schema<'AnyFindingOut'>; drift: Schema<'DriftDetailOut'> }) {
  const id = drift.iac_resource_id
  const declared = useQuery({
    ...get('/api/v1/iac-resources/{id}', { params: { path: { id: id ?? '' } } }), enabled: !!id,
  })
  return (
    <>
      <Remediations finding={finding} />
      <Differences drift={drift} />
      <Axes finding={finding} drift={drift} />
      <Subject drift={drift} declared={declared.data} />
      <WhoAndWhen finding={finding} scan={drift.scan_id ?? undefined} />
    </>
  )
}
