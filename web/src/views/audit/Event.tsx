import { Anchor, Badge, Group, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { Schema } from '../../api/client'
import { get } from '../../api/queries'
import { useMay } from '../../app/session'
import { readAuditEvent, type ReadEvent } from '../../logic/auditEvent'
import { pageOf } from '../../logic/pages'
import { absolute } from '../../logic/time'
import { words } from '../../logic/words'
import { ActorName } from '../../parts/ActorName'
import { Facts } from '../../parts/Facts'
import { Status } from '../../parts/Marks'
import { Lines, Outside } from '../../parts/Outside'
import { Page } from '../../parts/Page'
import { Section } from '../../parts/Section'
import { Loaded } from '../../parts/State'
import { When } from '../../parts/When'
import { Context } from './Context'
import { Key } from './Key'
import { claimed, useCheckpoint, useLogKeys } from './logKeys'
import { NotForYou } from './NotForYou'
import { Verify } from './Verify'

/** One event of the signed log, and whether it stands there as it is shown. */
export function AuditEvent() {
  const { id = '' } = useParams({ strict: false }) as { id?: string }
  const may = useMay('audit.read')
  const event = useQuery({ ...get('/api/v1/audit/events/{id}', { params: { path: { id } } }), enabled: may })
  if (!may) return <NotForYou />
  return <Loaded query={event} rows={8}>{(found) => <Shown key={found.id} event={found} asked={id} />}</Loaded>
}

function Shown({ event, asked }: { event: Schema<'EventOut'>; asked: string }) {
  const read = readAuditEvent(event.event)
  const checkpoint = useCheckpoint()
  const origin = claimed(checkpoint.data)?.origin
  const keys = useLogKeys(origin)
  return (
    <Page
      title={read.action ? <Outside>{words(read.action)}</Outside> : 'An event that cannot be read'}
      about={<>Event {event.seq} of the log{read.at && <>, <When at={read.at} /></>}</>}
    >
      {keys.change.state === 'changed' && <Key keys={keys} origin={origin} />}
      <Section title="What was logged">
        {read.action ? <Logged event={event} read={read} /> : <Unread event={event} />}
      </Section>
      <Section title="What it says besides"><Context of={read.context} /></Section>
      <Verify event={event} asked={asked} keys={keys} checkpoint={checkpoint} />
      {keys.change.state !== 'changed' && <Key keys={keys} origin={origin} />}
    </Page>
  )
}

function Logged({ event, read }: { event: Schema<'EventOut'>; read: ReadEvent }) {
  const { target } = read
  const page = pageOf(target.kind, target.id)
  const thing = <><Outside>{target.kind.replaceAll('_', ' ')}</Outside> <Outside mono>{target.id}</Outside></>
  return (
    <>
      <Facts
        facts={[
          ['Action', <Outside key="action" mono>{read.action}</Outside>],
          ['Went well', (
            <Group key="well" gap="xs">
              {read.success ? 'yes' : <Badge color="red" variant="light">no</Badge>}
              {read.error && <Outside>{read.error}</Outside>}
            </Group>
          )],
          read.decision && ['Verdict', <Status key="verdict" of={read.decision} />],
          ['Who', <Who key="who" read={read} />],
          ['To what', page && target.id
            ? <Anchor key="target" component={Link} to={page} size="sm">{thing}</Anchor>
            : thing],
          read.at && ['When', <>{absolute(Date.parse(read.at))} <span className="mono">({read.at})</span></>],
          ...read.origin.map(
            ([name, value]): [string, ReactNode] => [name, <Outside key={name} mono>{value}</Outside>],
          ),
          read.evidence.length > 0 && ['Evidence', <Outside key="evidence" mono>{read.evidence.join(', ')}</Outside>],
          ['Id', <Outside key="id" mono>{event.id}</Outside>],
          read.personal && ['Signed for them', <Outside key="personal" mono>{read.personal}</Outside>],
          ['More', <More key="more" read={read} />],
        ]}
      />
      {read.personal && (
        <Text size="xs" className="faint" mt="xs">
          Who it was by name, their address and their program are kept beside the log, so that they can be erased; the
          log has their salted hash. The check below makes it again.
          {!event.personal && ' They were erased.'}
        </Text>
      )}
    </>
  )
}

function Who({ read: { actor } }: { read: ReadEvent }) {
  return (
    <>
      {actor.name ? <Outside>{actor.name}</Outside> : <ActorName id={actor.id} />} ({actor.kind || 'unknown'},{' '}
      <Outside mono>{actor.id}</Outside>)
    </>
  )
}

/** What else the log has of the same thing, and by the same actor. */
function More({ read: { actor, target } }: { read: ReadEvent }) {
  return (
    <>
      <To search={{ target_type: target.kind, target_id: target.id }}>all about this</To>,{' '}
      <To search={{ actor_id: actor.id }}>all by this actor</To>
    </>
  )
}

function To({ search, children }: { search: Record<string, string>; children: ReactNode }) {
  return <Anchor component={Link} to="/audit" search={search as never} size="sm">{children}</Anchor>
}

/** Bytes in the place of an event that are none. */
function Unread({ event }: { event: Schema<'EventOut'> }) {
  const text = typeof event.event === 'string' ? event.event : JSON.stringify(event.event, null, 2)
  return (
    <>
      <Text size="sm" mb="xs">
        What lies at this place of the log is no event: it was changed. The check below tells more.
      </Text>
      <Lines label="What lies there">{text}</Lines>
    </>
  )
}
