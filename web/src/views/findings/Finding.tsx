import { Anchor, Group, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import type { Schema } from '../../api/client'
import { get } from '../../api/queries'
import { Severity, Status } from '../../parts/Marks'
import { Outside } from '../../parts/Outside'
import { Page } from '../../parts/Page'
import { Section } from '../../parts/Section'
import { Loaded } from '../../parts/State'
import { ThingName } from '../../parts/ThingName'
import { When } from '../../parts/When'
import { Actions } from './Actions'
import { Advice } from './Advice'
import { AlertSections } from './AlertSections'
import { Fact, Facts, percent } from './Bits'
import { CameOfIt } from './CameOfIt'
import { CauseSection } from './Cause'
import { DriftSections } from './drift/DriftSections'
import { Escalated } from './Escalated'
import { Exceptions } from './Exceptions'
import { Surroundings } from './Surroundings'
import { Violation } from './Violation'

/** A finding: what it is, why, what belongs to it, what can be done, and what was. */
export function Finding() {
  const { id = '' } = useParams({ strict: false }) as { id?: string }
  const finding = useQuery(get('/api/v1/findings/{id}', { params: { path: { id } } }))
  return <Loaded query={finding} rows={8}>{(found) => <Shown key={found.id} finding={found} />}</Loaded>
}

function Shown({ finding }: { finding: Schema<'AnyFindingOut'> }) {
  const drift = finding.kind === 'drift'
  return (
    <Page
      title={<Outside>{finding.title}</Outside>}
      about={
        <Group gap="xs" mt={4}>
          <span>{finding.kind}</span>
          <Severity of={finding.severity} score={finding.severity_score} />
          <Status of={finding.status} />
          <span>came up <When at={finding.first_seen} /></span>
          <Anchor component={Link} to="/findings" search={{ kind: finding.kind } as never} size="sm" py={3}>
            all of this kind
          </Anchor>
        </Group>
      }
      actions={<Actions finding={finding} />}
    >
      <Stack gap="md">
        <Escalated finding={finding} />
        <Header finding={finding} />
        {finding.kind === 'violation' && <Violation id={finding.id} />}
        <CameOfIt id={finding.id} />
        <Exceptions id={finding.id} />
        <Advice finding={finding} />
        {drift && <DriftSections finding={finding} />}
        {finding.kind === 'alert' && <AlertSections id={finding.id} />}
        <CauseSection finding={finding} />
        <Surroundings finding={finding} />
      </Stack>
    </Page>
  )
}

function Header({ finding }: { finding: Schema<'AnyFindingOut'> }) {
  const place = finding.environment_id
  const environment = useQuery({
    ...get('/api/v1/environments/{id}', { params: { path: { id: place ?? '' } } }),
    enabled: !!place,
  })
  return (
    <Section title="What it is">
      {finding.reason && <Text mb="sm"><Outside>{finding.reason}</Outside></Text>}
      <Facts>
        <Fact name="Confidence">{percent(finding.confidence_score)}</Fact>
        <Fact name="Began"><When at={finding.began_at} /></Fact>
        <Fact name="First notice"><When at={finding.first_seen} /></Fact>
        <Fact name="Last notice"><When at={finding.last_seen} /></Fact>
        <Fact name="Notices">{finding.seen_count.toLocaleString('en')}</Fact>
        <Fact name="Gone">
          <When at={finding.resolved_at} none="not yet" />
          {finding.resolution_type && <> (<Outside>{finding.resolution_type.replaceAll('_', ' ')}</Outside>)</>}
        </Fact>
        <Fact name="Resource">
          {finding.resource_id
            ? <ThingName kind="resource" id={finding.resource_id} name={finding.resource_name} />
            : <span className="faint">none known</span>}
        </Fact>
        <Fact name="Environment">
          {place
            ? (
              <>
                <Outside>{environment.data?.name ?? place}</Outside>{' '}
                {environment.data && `(${environment.data.class})`}
              </>
            )
            : <span className="faint">none known</span>}
        </Fact>
        <Fact name="In its sender’s words"><Outside>{finding.severity_raw}</Outside></Fact>
        <Fact name="Fingerprint"><Outside mono>{finding.fingerprint}</Outside></Fact>
        <Fact name="Id"><span className="mono">{finding.id}</span></Fact>
      </Facts>
    </Section>
  )
}
