import { Table, Text } from '@mantine/core'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import type { Schema } from '../../../api/client'
import { get, pages } from '../../../api/queries'
import { apart } from '../../../logic/apart'
import { readAttribution, type Attributed } from '../../../logic/causeFacts'
import { readCall, readEvent } from '../../../logic/driftFacts'
import { Outside } from '../../../parts/Outside'
import { Section } from '../../../parts/Section'
import { Loaded } from '../../../parts/State'
import { useAll } from '../../../parts/useAll'
import { When } from '../../../parts/When'
import { Fact, Facts, percent } from '../Bits'
import shared from '../findings.module.css'

type Correlation = Schema<'CorrelationOut'>
type ChangeEvent = Schema<'ChangeEventOut'>

/** Kinds of events somebody did: calls a cloud recorded, commits, deployments. */
const DONE_BY_SOMEBODY = ['audit_event', 'git_commit', 'deployment']

interface WhoProps {
  finding: Schema<'AnyFindingOut'>
  /** The scan that saw it last. */
  scan: string | undefined
}

/** Who changed it and when, by what was told: the surest first. */
export function WhoAndWhen({ finding, scan }: WhoProps) {
  const found = useInfiniteQuery(pages('/api/v1/correlations', { finding_id: [finding.id] }, 100))
  const items = useAll(found).data ?? []
  const done = items.filter((one) => DONE_BY_SOMEBODY.includes(one.correlation_type))
  const ids = [...new Set(done.map((one) => one.external_id))].slice(0, 50)
  const events = useQuery({
    ...get('/api/v1/change-events', { params: { query: { external_id: ids, limit: 100 } } }), enabled: ids.length > 0,
  })
  const causes = useQuery(get('/api/v1/cause-analyses', { params: { query: { finding_id: [finding.id], limit: 1 } } }))
  const who = readAttribution(causes.data?.items[0]?.user_attribution)
  const sorted = done.sort((one, other) => (other.correlation_score ?? 0) - (one.correlation_score ?? 0))
  const told = (one: Correlation) => events.data?.items.find(
    (event) => event.external_id === one.external_id && event.external_system === one.external_system,
  )
  return (
    <Section title="Who and when">
      <Attribution who={who} />
      <Loaded query={found} rows={2}>{() => sorted.length === 0
        ? <Nobody scan={scan} known={!!who.actor} />
        : (
          <div className={shared.wide} role="region" aria-label="Who may have changed it" tabIndex={0}>
            <Table aria-label="Who may have changed it" verticalSpacing={4} miw={760}>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>When</Table.Th><Table.Th>Who</Table.Th><Table.Th>What</Table.Th>
                  <Table.Th>Address</Table.Th><Table.Th>Source</Table.Th><Table.Th ta="right">Sure</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {sorted.map((one) => <Done key={one.id} one={one} told={told(one)} />)}
              </Table.Tbody>
            </Table>
          </div>
        )}</Loaded>
    </Section>
  )
}

function Attribution({ who }: { who: Attributed }) {
  if (!who.actor && !who.kind && !who.tool) return null
  return (
    <div style={{ marginBottom: '0.75rem' }}>
      <Facts>
        <Fact name="Likely by"><Outside>{who.actor}</Outside></Fact>
        {who.kind && <Fact name="Which is"><Outside>{who.kind}</Outside></Fact>}
        {who.tool && <Fact name="With"><Outside>{who.tool}</Outside></Fact>}
        {who.mfa !== undefined && <Fact name="Second factor">{who.mfa ? 'shown' : 'not shown'}</Fact>}
        {who.breakGlass !== undefined && (
          <Fact name="Role for emergencies">{who.breakGlass ? 'used' : 'not used'}</Fact>
        )}
      </Facts>
    </div>
  )
}

function Done({ one, told }: { one: Correlation; told: ChangeEvent | undefined }) {
  const event = readEvent(one.event_data)
  const call = readCall(told?.data)
  const at = told?.occurred_at ?? event.at
  return (
    <Table.Tr style={{ verticalAlign: 'top' }}>
      <Table.Td>
        {at ? <When at={at} /> : <span className="faint">not known</span>}
        {typeof one.temporal_offset === 'number' && (
          <Text size="xs" className="faint">{apart(one.temporal_offset)}</Text>
        )}
      </Table.Td>
      <Table.Td>
        <Outside>{told?.actor ?? event.actor}</Outside>
        {call.role && <Text size="xs" className="faint">as <Outside>{call.role}</Outside></Text>}
      </Table.Td>
      <Table.Td>
        <Outside>{told?.summary ?? event.summary}</Outside>
        {call.error && <Text size="xs" c="red">refused: <Outside>{call.error}</Outside></Text>}
        {[...(told?.addresses ?? []), ...(told?.paths ?? [])].slice(0, 5).map((text) => (
          <Text size="xs" key={text} className="faint"><Outside mono>{text}</Outside></Text>
        ))}
      </Table.Td>
      <Table.Td>
        <Outside mono>{call.sourceAddress}</Outside>
        {call.userAgent && <Text size="xs" className="faint"><Outside>{call.userAgent}</Outside></Text>}
      </Table.Td>
      <Table.Td>
        <Outside>{one.external_system}</Outside>
        <Text size="xs" className="faint">{one.correlation_type.replaceAll('_', ' ')}</Text>
        <Text size="xs" className="faint"><Outside mono>{one.external_id}</Outside></Text>
      </Table.Td>
      <Table.Td className={shared.number}>{percent(one.correlation_score)}</Table.Td>
    </Table.Tr>
  )
}

/** Nobody was told of; the scan may say why. */
function Nobody({ scan, known }: { scan: string | undefined; known: boolean }) {
  const found = useQuery({
    ...get('/api/v1/drift-scans/{id}', { params: { path: { id: scan ?? '' } } }), enabled: !!scan,
  })
  const remark = found.data?.remark
  return (
    <Text size="sm" component="div" className="faint">
      {known
        ? 'No event that names it was told.'
        : 'Who changed it is not known: no commit, no call and no deployment that belongs to it was told.'}
      {remark && <> The scan that saw it last says: <Outside>{remark}</Outside></>}
    </Text>
  )
}
