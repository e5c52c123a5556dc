import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { api, type Schema } from '../../api/client'
import { get, pages } from '../../api/queries'
import { useMay } from '../../app/session'
import type { Draft, Field, Option } from '../../logic/fields'
import { needed } from '../../logic/roles'
import { Kept } from '../../parts/Kept'
import { Outside } from '../../parts/Outside'
import type { PlainColumn } from '../../parts/PlainTable'
import { ifSeen, seen } from '../../parts/seen'
import { Tone } from '../../parts/Tone'
import { useAll } from '../../parts/useAll'
import { When } from '../../parts/When'

type Channel = Schema<'ChannelOut'>

const path = (id: string) => ({ path: { id } })
const is = (type: string) => (draft: Draft) => draft.channel_type === type

const TYPES = [
  { value: 'email', label: 'Mail' },
  { value: 'slack', label: 'Slack' },
  { value: 'webhook', label: 'Webhook' },
  { value: 'pagerduty', label: 'PagerDuty' },
]

const fields = (credentials: Option[]): Field[] => [
  { at: 'name', label: 'Name', kind: 'text', required: true, placeholder: 'on call' },
  {
    at: 'channel_type', label: 'How it reaches people', kind: 'choice', required: true, initial: 'email',
    options: TYPES,
  },
  {
    at: 'configuration/to', label: 'To', kind: 'list', required: true, shown: is('email'),
    placeholder: 'ops@example.com',
  },
  {
    at: 'configuration/channel', label: 'Channel', kind: 'text', required: true, shown: is('slack'),
    placeholder: '#incidents',
  },
  {
    at: 'configuration/url', label: 'Address', kind: 'text', required: true, shown: is('webhook'),
    placeholder: 'https://example.com/hook', help: 'https, without a user in it.',
  },
  {
    at: 'credential_id', label: 'Secret it is used with', kind: 'choice', options: credentials,
    help: 'A credential, kept under Credentials. Nothing secret stands in a channel.',
  },
  { at: 'is_active', label: 'It is used', kind: 'boolean', initial: true },
]

function where({ configuration }: Channel): string {
  const { to, channel, url } = configuration as { to?: unknown; channel?: unknown; url?: unknown }
  if (Array.isArray(to)) return to.map(String).join(', ')
  return [channel, url].find((one): one is string => typeof one === 'string') ?? ''
}

const columns: PlainColumn<Channel>[] = [
  { name: 'Channel', cell: (one) => <Outside>{one.name}</Outside> },
  { name: 'How', cell: (one) => TYPES.find((type) => type.value === one.channel_type)?.label ?? one.channel_type },
  { name: 'Where', cell: (one) => <Outside>{where(one)}</Outside> },
  {
    name: 'State',
    cell: (one) => one.is_active === false ? <Tone of="gray">not used</Tone> : 'used',
  },
  { name: 'Changed', cell: (one) => <When at={one.updated_at} /> },
]

/** Channels by which people are told. */
export function Channels() {
  const all = useAll(useInfiniteQuery(pages('/api/v1/notification-channels', {}, 100)))
  const credentials = useQuery(get('/api/v1/credentials')).data
  const why = useMay('settings.write') ? undefined : needed('settings.write')
  const form = useMemo(
    () => {
      const named = (credentials ?? []).map(({ id, name, kind }) => ({ value: id, label: `${name} (${kind})` }))
      return fields(named)
    },
    [credentials],
  )
  return (
    <Kept
      title="Notification channels" one="a channel" query={all} columns={columns} fields={form} why={why}
      about="Kept for programs that tell people by them. This release sends nothing through them by itself."
      empty="People see what happens here, and in the log." touched={['notification-channels']}
      id={(one) => one.id} name={(one) => one.name}
      add={(body) =>
        api.POST('/api/v1/notification-channels', { body: { configuration: {}, ...body } as Schema<'ChannelIn'> })}
      read={(one) => seen(api.GET('/api/v1/notification-channels/{id}', { params: path(one.id) }))}
      replace={(one, body, tag) =>
        api.PUT('/api/v1/notification-channels/{id}', {
          params: { ...path(one.id), header: ifSeen(tag) }, body: { configuration: {}, ...body } as Schema<'ChannelIn'>,
        })}
      remove={{
        says: () => 'Nobody is told by it any more. What was told stays.',
        act: (one) => api.DELETE('/api/v1/notification-channels/{id}', { params: path(one.id) }),
      }}
    />
  )
}
