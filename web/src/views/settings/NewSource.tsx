import { Modal, Stack, Text } from '@mantine/core'
import { useState } from 'react'
import { api, type Schema } from '../../api/client'
import type { Body, Field } from '../../logic/fields'
import { FieldForm } from '../../parts/FieldForm'
import { Copied, ShownOnce } from '../../parts/ShownOnce'
import { useTouch } from '../../parts/useTouch'
import { randomSecret } from './randomSecret'

const generic: Field['shown'] = (draft) => draft.kind === 'generic'
const pointer = (at: string, label: string, more: Partial<Field> = {}): Field => ({
  at: `mapping/${at}`, label, kind: 'text', shown: generic, ...more,
})

const fields: Field[] = [
  {
    at: 'name', label: 'Name', kind: 'text', required: true, initial: 'alertmanager',
    help: 'Letters, digits and . _ - ; triggers match on it.',
  },
  {
    at: 'kind', label: 'What it is', kind: 'choice', required: true, initial: 'alertmanager', options: [
      { value: 'alertmanager', label: 'Alertmanager' },
      { value: 'generic', label: 'A webhook of any shape, signed' },
    ],
  },
  pointer('items', 'Where the list of alerts is', {
    placeholder: '/events', help: 'JSON pointers all. Empty: the body is one alert.',
  }),
  pointer('name', 'Its name', { required: true, placeholder: '/check' }),
  pointer('starts_at', 'When it began', { required: true, placeholder: '/since' }),
  pointer('ends_at', 'When it ended'),
  pointer('severity', 'How bad it is', { placeholder: '/level' }),
  pointer('instance', 'What it is about', { placeholder: '/host' }),
  pointer('status', 'Whether it is still there', { help: 'Without it an alert never ends by itself.' }),
  pointer('resolved', 'Words of it that mean it is over', {
    kind: 'list', initial: ['resolved', 'ok', 'closed', 'recovered'],
  }),
  pointer('fingerprint', 'What tells it from others'),
  pointer('labels', 'An object of labels', { placeholder: '/labels' }),
  pointer('label', 'Further labels', { kind: 'pairs', placeholder: 'team = /owner/team' }),
  pointer('annotation', 'Annotations', { kind: 'pairs', placeholder: 'summary = /text' }),
  pointer('signed', 'What the sender signs', {
    kind: 'choice', required: true, initial: 'body', options: [
      { value: 'body', label: 'The body' },
      { value: 'timestamp_and_body', label: 'The time and the body: a delivery counts for five minutes' },
    ],
  }),
]

/** What a source needs to send. */
interface Made {
  name: string
  kind: string
  key: string
  secret: string | undefined
}

/** Adds a source of alerts with a key of its own, and shows what it needs to send, once. */
export function NewSource({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const [made, tell] = useState<Made>()
  // A key that was made for a source the server then refused is not made again for the next try.
  const [key, keep] = useState<Schema<'KeyMade'>>()
  const touch = useTouch()
  const add = async (body: Body) => {
    const name = String(body.name)
    const wanted = { name, roles: ['operator'], scopes: ['alerts.send'] }
    const holder = key ?? (await api.POST('/api/v1/api-keys', { body: wanted })).data
    if (!holder) return
    keep(holder)
    const secret = body.kind === 'generic' ? randomSecret() : undefined
    const { mapping, ...source } = body
    await api.POST('/api/v1/alert-sources', {
      body: { ...source, actor_id: holder.actor_id, ...(secret ? { secret, mapping } : {}) } as Schema<'SourceIn'>,
    })
    // What is shown once is shown first: nobody can ask for it again.
    tell({ name, kind: String(body.kind), key: holder.key, secret })
    void touch('alert-sources', 'api-keys', 'service-accounts')
  }
  const [busy, work] = useState(false)
  const close = () => {
    // Whether the source was added is not known before the answer.
    if (busy) return
    // Nobody was shown a key whose source was not added: nobody needs it.
    if (key && !made) {
      void api.DELETE('/api/v1/api-keys/{id}', { params: { path: { id: key.id } } }).finally(() => touch('api-keys'))
    }
    tell(undefined)
    keep(undefined)
    onClose()
  }
  return (
    <Modal opened={opened} onClose={close} title="Add an alert source" size="lg" closeOnClickOutside={!made} closeOnEscape={!made}>
      {opened && (made ? <Shown made={made} onDone={close} /> : (
        <FieldForm
          fields={fields} submit="Add it" onCancel={close}
          onSubmit={(body) => {
            work(true)
            return add(body).finally(() => work(false))
          }}
        >
          {() => (
            <Text size="sm" className="faint">
              It gets a service account and an API key that can do nothing but send alerts. What it needs is shown next,
              once.
            </Text>
          )}
        </FieldForm>
      ))}
    </Modal>
  )
}

function Shown({ made, onDone }: { made: Made; onDone: () => void }) {
  const origin = window.location.origin
  if (made.secret === undefined) {
    const receiver = `receivers:
  - name: countersign
    webhook_configs:
      - url: ${origin}/api/v1/hooks/alertmanager
        http_config: { authorization: { credentials: ${made.key} } }`
    return (
      <ShownOnce what="The receiver, with the key" value={receiver} onDone={onDone}>
        This goes into the configuration of the Alertmanager.
      </ShownOnce>
    )
  }
  return (
    <Stack gap="sm">
      <ShownOnce what="The API key" value={made.key}>
        Sent as <span className="mono">Authorization: Bearer …</span> to{' '}
        <span className="mono">{`${origin}/api/v1/hooks/generic/${made.name}`}</span>
      </ShownOnce>
      <ShownOnce what="The signing secret" value={made.secret} onDone={onDone}>
        HMAC-SHA256 of what is signed, with this secret as text, goes into the header:
        <Copied value="X-Countersign-Signature: sha256=<64 hexadecimal digits>" label="The header with the signature" />
      </ShownOnce>
    </Stack>
  )
}
