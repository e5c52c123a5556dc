import { Text } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { api, type Schema } from '../../api/client'
import { pages } from '../../api/queries'
import { useMay } from '../../app/session'
import type { Body, Field } from '../../logic/fields'
import { needed } from '../../logic/roles'
import { duration } from '../../logic/time'
import { count } from '../../logic/words'
import { Kept } from '../../parts/Kept'
import type { PlainColumn } from '../../parts/PlainTable'
import { ThingName } from '../../parts/ThingName'
import { Tone } from '../../parts/Tone'
import { useAll } from '../../parts/useAll'

type Limit = Schema<'LimitOut'>

const each = [{ value: '*', label: 'Each by itself' }]

const fields: Field[] = [
  {
    at: 'scope', label: 'What is counted', kind: 'choice', required: true, once: true, initial: 'runbook', options: [
      { value: 'runbook', label: 'Starts of a runbook' },
      { value: 'resource', label: 'Starts that touch a resource' },
      { value: 'tenant', label: 'All starts of the tenant' },
      { value: 'global', label: 'All starts, as the limit called global' },
    ],
  },
  {
    at: 'runbook', also: 'scope_id',
    label: 'Which runbook', kind: 'thing', of: 'runbook', options: each, initial: '*', required: true,
    once: true, shown: (draft) => draft.scope === 'runbook',
  },
  {
    at: 'resource', also: 'scope_id',
    label: 'Which resource', kind: 'thing', of: 'resource', options: each, initial: '*', required: true,
    once: true, shown: (draft) => draft.scope === 'resource',
  },
  { at: 'count', label: 'How many starts', kind: 'number', required: true, min: 1, initial: 5 },
  { at: 'window_seconds', label: 'In how many seconds', kind: 'number', required: true, min: 1, initial: 3_600 },
  { at: 'enabled', label: 'It counts', kind: 'boolean', initial: true },
]

/** The form has a field for each kind of scope; the API has one. */
function limitOf({ runbook, resource, ...body }: Body): Schema<'LimitIn'> {
  return { ...body, scope_id: runbook ?? resource ?? body.scope } as Schema<'LimitIn'>
}

const formOf = (limit: Limit) => ({ ...limit, runbook: limit.scope_id, resource: limit.scope_id })

const columns: PlainColumn<Limit>[] = [
  { name: 'Of', cell: (limit) => <Of limit={limit} /> },
  {
    name: 'At most',
    cell: (limit) => `${count(limit.count, 'start')} in ${duration(limit.window_seconds * 1_000)}`,
  },
  {
    name: 'Counts',
    cell: (limit) => limit.enabled
      ? <Tone of="green">counts</Tone>
      : <Tone of="gray">does not count</Tone>,
  },
]

function Of({ limit }: { limit: Limit }) {
  if (limit.scope !== 'runbook' && limit.scope !== 'resource') return <Text size="sm">all starts ({limit.scope})</Text>
  if (limit.scope_id === '*') return <Text size="sm">each {limit.scope} by itself</Text>
  return <>{limit.scope} <ThingName kind={limit.scope} id={limit.scope_id} /></>
}

/** Rate limits: how many starts in how long, of what. */
export function Limits() {
  const all = useAll(useInfiniteQuery(pages('/api/v1/rate-limits', {}, 100)))
  const why = useMay('policy.write') ? undefined : needed('policy.write')
  const save = (body: Body) => api.PUT('/api/v1/rate-limits', { body: limitOf(body) })
  return (
    <Kept
      title="Rate limits" one="a limit" query={all} columns={columns} fields={fields} why={why}
      touched={['rate-limits']}
      about={<>
        What would start beyond a limit waits until the oldest start has left its time. There is one limit for each
        scope: adding it again replaces it.
      </>}
      empty="Starts are not counted: only policy, windows and breakers hold changes back."
      id={(limit) => limit.id} name={(limit) => `${limit.scope} ${limit.scope_id}`}
      add={save}
      read={(limit) => Promise.resolve({ value: formOf(limit), tag: undefined })}
      replace={(_, body) => save(body)}
      remove={{
        says: () => 'Nothing counts these starts any more. What waited for this limit may start.',
        act: (limit) => api.DELETE('/api/v1/rate-limits/{id}', { params: { path: { id: limit.id } } }),
      }}
    />
  )
}
