import { Group, Modal, Stack, Text } from '@mantine/core'
import { useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { api, type Schema } from '../../api/client'
import { asProblem } from '../../api/problem'
import { get, pages } from '../../api/queries'
import { testChannel } from '../../api/testing'
import { useMay } from '../../app/session'
import type { Draft, Field, Option } from '../../logic/fields'
import { needed } from '../../logic/roles'
import { duration } from '../../logic/time'
import { Kept } from '../../parts/Kept'
import { Outside } from '../../parts/Outside'
import type { PlainColumn } from '../../parts/PlainTable'
import { ifSeen, seen } from '../../parts/seen'
import { Failed, Waiting } from '../../parts/State'
import { MayButton } from '../../parts/Sure'
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
      about="Kept for programs that tell people by them. This release sends nothing through them by itself but tests."
      empty="People see what happens here, and in the log." touched={['notification-channels']}
      id={(one) => one.id} name={(one) => one.name}
      add={(body) =>
        api.POST('/api/v1/notification-channels', { body: { configuration: {}, ...body } as Schema<'ChannelIn'> })}
      read={(one) => seen(api.GET('/api/v1/notification-channels/{id}', { params: path(one.id) }))}
      replace={(one, body, tag) =>
        api.PUT('/api/v1/notification-channels/{id}', {
          params: { ...path(one.id), header: ifSeen(tag) }, body: { configuration: {}, ...body } as Schema<'ChannelIn'>,
        })}
      more={(one) => <Test channel={one} why={why} />}
      remove={{
        says: () => 'Nobody is told by it any more. What was told stays.',
        act: (one) => api.DELETE('/api/v1/notification-channels/{id}', { params: path(one.id) }),
      }}
    />
  )
}

const SENDS: Record<string, string> = {
  email: 'Mail is not sent by this release: a test only says so.',
  slack: 'A message that says it is a test appears in the channel.',
  webhook: 'The address is sent a message that says it is a test.',
  pagerduty: 'PagerDuty is told of an incident that is over at once; whoever is on call may hear of it.',
}

/** Sends a message through a channel, and shows what came of it. */
function Test({ channel, why }: { channel: Channel; why: string | undefined }) {
  const [opened, open] = useState(false)
  const testing = useMutation({ mutationFn: () => testChannel(channel.id) })
  const close = () => {
    open(false)
    testing.reset()
  }
  return (
    <>
      <MayButton why={why} onClick={() => open(true)} aria-label={`Test ${channel.name}`}>Test</MayButton>
      <Modal opened={opened} onClose={close} title={`Send a test through ${channel.name}?`}>
        <Stack gap="sm">
          <Text size="sm">{SENDS[channel.channel_type] ?? 'A message that says it is a test is sent.'}</Text>
          {testing.isPending && <Waiting label="Sending" />}
          {testing.error && <Failed problem={asProblem(testing.error)} />}
          {testing.data && (
            <Group gap="xs" role="status">
              <Tone of={testing.data.delivered ? 'green' : 'red'}>
                {testing.data.delivered ? 'delivered' : 'not delivered'}
              </Tone>
              <Text size="sm" component="div">
                <Outside>{testing.data.detail}</Outside>{' '}
                <span className="faint">in {duration(testing.data.took_ms)}</span>
              </Text>
            </Group>
          )}
          <Group justify="flex-end" gap="xs">
            <MayButton size="sm" onClick={close}>Close</MayButton>
            <MayButton size="sm" variant="filled" loading={testing.isPending} onClick={() => testing.mutate()}>
              Send it
            </MayButton>
          </Group>
        </Stack>
      </Modal>
    </>
  )
}
