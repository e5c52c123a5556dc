import { useInfiniteQuery } from '@tanstack/react-query'
import { api, type Schema } from '../../api/client'
import { pages } from '../../api/queries'
import type { Field } from '../../logic/fields'
import { Kept } from '../../parts/Kept'
import { Outside } from '../../parts/Outside'
import type { PlainColumn } from '../../parts/PlainTable'
import { ifSeen, seen } from '../../parts/seen'
import { Sure } from '../../parts/Sure'
import { Tone } from '../../parts/Tone'
import { useAll } from '../../parts/useAll'
import { useTouch } from '../../parts/useTouch'
import { When } from '../../parts/When'
import { roleField } from './roleField'

type Holder = Schema<'ServiceAccountOut'>

const path = (id: string) => ({ path: { id } })

const fields: Field[] = [
  { at: 'name', label: 'Name', kind: 'text', required: true, once: true, placeholder: 'deploy pipeline' },
  {
    at: 'type', label: 'What it is', kind: 'choice', required: true, once: true, initial: 'service', options: [
      { value: 'service', label: 'A program' }, { value: 'agent', label: 'An AI agent' },
    ],
  },
  { ...roleField, initial: ['operator'] },
]

const columns: PlainColumn<Holder>[] = [
  { name: 'Name', cell: (holder) => <Outside>{holder.name}</Outside> },
  { name: 'What', cell: (holder) => (holder.type === 'agent' ? 'AI agent' : 'program') },
  { name: 'Roles', cell: (holder) => holder.roles.join(', ') || 'none' },
  { name: 'Keys that work', cell: (holder) => holder.keys },
  {
    name: 'State',
    cell: (holder) => holder.is_active
      ? <Tone of="green">may act</Tone>
      : <Tone of="gray">switched off</Tone>,
  },
  { name: 'Since', cell: (holder) => <When at={holder.created_at} /> },
]

const change = (id: string, body: Schema<'ServiceAccountChange'>, tag: string | undefined) =>
  api.PATCH('/api/v1/service-accounts/{id}', { params: { ...path(id), header: ifSeen(tag) }, body })

/** Programs and AI agents: what each may do at most, and whether it may act. */
export function ServiceAccounts() {
  const all = useAll(useInfiniteQuery(pages('/api/v1/service-accounts', {}, 100)))
  return (
    <Kept
      title="Services and agents" one="a service or agent" query={all} columns={columns} fields={fields} why={undefined}
      about="Whoever is no person: alert sources, pipelines, AI agents. They act with API keys and never vote."
      empty="Only people act here." touched={['service-accounts', 'api-keys']}
      id={(holder) => holder.id} name={(holder) => holder.name}
      add={(body) => api.POST('/api/v1/service-accounts', { body: body as Schema<'ServiceAccountIn'> })}
      read={(holder) => seen(api.GET('/api/v1/service-accounts/{id}', { params: path(holder.id) }))}
      replace={(holder, body, tag) => change(holder.id, { roles: body.roles as string[] }, tag)}
      more={(holder) => <OnOff holder={holder} />}
    />
  )
}

function OnOff({ holder }: { holder: Holder }) {
  const touch = useTouch()
  const off = holder.is_active
  return (
    <Sure
      label={off ? 'Switch off' : 'Let act again'} title={`${off ? 'Switch off' : 'Let act again'}: ${holder.name}?`}
      color={off ? 'red' : undefined}
      button={{ 'aria-label': `${off ? 'Switch off' : 'Let act again'}: ${holder.name}` }}
      act={() => change(holder.id, { is_active: !off }, undefined).then(() => touch('service-accounts', 'api-keys'))}
    >
      {off
        ? 'Its keys are dead at once, for as long as it is switched off.'
        : 'Keys of its that were not revoked work again.'}
    </Sure>
  )
}
