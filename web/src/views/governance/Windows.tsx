import { Alert, Group, Stack, Text } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { api, type Schema } from '../../api/client'
import { pages } from '../../api/queries'
import { useMay } from '../../app/session'
import { activeUntil, nextAfter, ruleOf } from '../../logic/calendar'
import type { Draft } from '../../logic/fields'
import { needed } from '../../logic/roles'
import { absolute } from '../../logic/time'
import { Kept } from '../../parts/Kept'
import { Outside } from '../../parts/Outside'
import type { PlainColumn } from '../../parts/PlainTable'
import { Section } from '../../parts/Section'
import { ifSeen, seen } from '../../parts/seen'
import { Tone } from '../../parts/Tone'
import { useAll } from '../../parts/useAll'
import { useNow, When } from '../../parts/When'
import { Calendar } from './Calendar'
import { forForm, recurrences, runbooksOf, selected, serversOf, viewerZone, windowFields } from './windowFields'

type Window = Schema<'WindowOut'>

const path = (id: string) => ({ path: { id } })
const KIND: Record<string, string> = { deny: 'blackout', allow_only: 'maintenance' }

/** Windows: when nothing may run, and when alone it may; on a calendar, and as a list. */
export function Windows() {
  const all = useAll(useInfiniteQuery(pages('/api/v1/blackout-windows', {}, 100)))
  const why = useMay('policy.write') ? undefined : needed('policy.write')
  const zone = viewerZone()
  const fields = useMemo(() => windowFields(zone), [zone])
  return (
    <Stack gap="md">
      {all.data && <Now windows={all.data} />}
      {all.data && <Calendar windows={all.data} zone={zone} />}
      <Kept
        title="Windows" one="a window" query={all} columns={columns} fields={fields} why={why}
        touched={['blackout-windows']}
        about={`Each keeps to the clocks of its own zone. Yours is ${zone}.`}
        empty="Nothing is held back by the clock: changes start as soon as they may."
        id={(window) => window.id} name={(window) => window.name}
        beside={(draft) => <Preview draft={draft} zone={zone} />}
        add={(body) => api.POST('/api/v1/blackout-windows', { body: body as Schema<'WindowIn'> })}
        read={async (window) => {
          const { value, tag } = await seen(api.GET('/api/v1/blackout-windows/{id}', { params: path(window.id) }))
          return { value: forForm(value), tag }
        }}
        replace={(window, body, tag) =>
          api.PUT('/api/v1/blackout-windows/{id}', {
            params: { ...path(window.id), header: ifSeen(tag) }, body: body as Schema<'WindowIn'>,
          })}
        remove={{
          says: (window) => window.kind === 'deny'
            ? 'What it held back may start again, if nothing else holds it back.'
            : 'Without another maintenance window for it, what it picks may start at any time.',
          act: (window) => api.DELETE('/api/v1/blackout-windows/{id}', { params: path(window.id) }),
        }}
      />
    </Stack>
  )
}

/**
 * Until when a window is active, ms; by the clock of whoever looks, as nothing is told when one opens or ends.
 * One that cannot be read here counts as the server last said.
 */
function activeNow(window: Window, now: number): number | undefined {
  if (!window.enabled) return undefined
  const rule = ruleOf(window)
  if (rule) return activeUntil(rule, now)
  const told = window.active_until ? Date.parse(window.active_until) : 0
  return told > now ? told : undefined
}

/** What is active now, and windows that nobody understands: they close the gate. */
function Now({ windows }: { windows: Window[] }) {
  const now = useNow()
  const active = windows.flatMap((window) => {
    const until = activeNow(window, now)
    return until === undefined ? [] : [{ window, until }]
  })
  const faulty = windows.filter((window) => window.fault && window.enabled)
  return (
    <Section title="Active now">
      {faulty.map((window) => (
        <Alert key={window.id} color="red" variant="light" mb="xs" title={<Outside>{window.name}</Outside>}>
          It cannot be understood, so nothing starts: <Outside>{window.fault}</Outside>
        </Alert>
      ))}
      {active.length === 0 && <Text size="sm" className="faint">No window is active.</Text>}
      <Stack gap={6}>
        {active.map(({ window, until }) => (
          <Group key={window.id} gap="xs">
            <Kind of={window.kind} />
            <Text size="sm" fw={600}><Outside>{window.name}</Outside></Text>
            <Text size="sm">
              {window.kind === 'deny' ? 'Nothing starts' : 'Changes may start'} for {about(window)}; ends{' '}
              <When at={new Date(until).toISOString()} />
            </Text>
          </Group>
        ))}
      </Stack>
    </Section>
  )
}

function about(window: Window): string {
  const { affected_servers: servers, affected_runbooks: runbooks } = window
  const where = selected(servers, serversOf(servers), 'every server')
  return `${where}, ${selected(runbooks, runbooksOf(runbooks), 'every runbook')}`
}

function Kind({ of }: { of: string }) {
  return <Tone of={of === 'deny' ? 'red' : 'teal'}>{KIND[of] ?? of}</Tone>
}

const columns: PlainColumn<Window>[] = [
  {
    name: 'Window',
    cell: (window) => (
      <>
        <Outside>{window.name}</Outside>
        {window.description && (
          <Text size="xs" className="faint" component="div"><Outside>{window.description}</Outside></Text>
        )}
      </>
    ),
  },
  {
    name: 'What',
    cell: (window) => (
      <Group gap={4}>
        <Kind of={window.kind} />
        {!window.enabled && <Tone of="gray">does not count</Tone>}
        {window.fault && <Tone of="red">not understood</Tone>}
      </Group>
    ),
  },
  { name: 'When', cell: (window) => <WhenItIs window={window} /> },
  { name: 'About', cell: (window) => <Outside>{about(window)}</Outside> },
]

const wall = (text: string) => text.replace('T', ' ').replace(/:00$/, '')

function WhenItIs({ window }: { window: Window }) {
  const now = useNow()
  const rule = useMemo(() => ruleOf(window), [window])
  const until = activeNow(window, now)
  const next = rule && window.enabled ? nextAfter(rule, now) : undefined
  return (
    <>
      <Text size="sm">{recurrences.find((one) => one.value === window.recurrence)?.label ?? window.recurrence}</Text>
      <Text size="xs" className="faint">
        {wall(window.start_time)} to {wall(window.end_time)}, {window.timezone}
      </Text>
      <Text size="xs" className="faint" component="div">
        {until !== undefined ? <>active, ends <When at={new Date(until).toISOString()} /></>
          : next !== undefined ? <>next <When at={new Date(next).toISOString()} /></>
          : window.enabled && (rule ? 'does not come again' : 'when it comes cannot be told')}
      </Text>
    </>
  )
}

/** What the times mean that were typed, on the clocks of whoever types them. */
function Preview({ draft, zone }: { draft: Draft; zone: string }) {
  const now = useNow()
  const text = (name: string) => String(draft[name] ?? '')
  const rule = ruleOf({
    kind: text('kind'), start_time: text('start_time'), end_time: text('end_time'), timezone: text('timezone'),
    recurrence: text('recurrence'), recurrence_pattern: {
      days_of_week: draft['recurrence_pattern/days_of_week'], days_of_month: draft['recurrence_pattern/days_of_month'],
    },
  })
  if (!rule) {
    return (
      <Text size="sm" className="faint">Its end must be after its start, and it must end before it comes back.</Text>
    )
  }
  const next = nextAfter(rule, now)
  return (
    <Text size="sm" className="faint" role="status">
      {next === undefined ? 'It does not come again.' : `On your clocks (${zone}) it next starts ${absolute(next)}.`}
    </Text>
  )
}
