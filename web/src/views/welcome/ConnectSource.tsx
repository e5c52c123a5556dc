import { Code, CopyButton, Button, Group, Stack, Text, TextInput } from '@mantine/core'
import { useState } from 'react'
import { api } from '../../api/client'
import { Act } from './Act'
import { useDemoEstate } from './demoEstate'
import { rememberKey, rememberedKey } from './sourceKey'
import { unlessThere } from './there'

/** A source of alerts, with a key of its own, and the rules that say what becomes of its alerts. */
export function ConnectSource() {
  const rules = useDemoEstate().data?.alert_rules ?? []
  const [name, setName] = useState('alertmanager')
  const connect = async () => {
    // What an earlier try made is not made again: a key that nobody uses is one more to lose.
    const key = rememberedKey() ?? (await api.POST('/api/v1/api-keys', { body: { name, roles: ['operator'] } })).data
    if (!key) throw new Error('The server made no key.')
    rememberKey(key)
    for (const rule of rules) await unlessThere(api.POST('/api/v1/alert-rules', { body: rule }))
    await api.POST('/api/v1/alert-sources', { body: { name, kind: 'alertmanager', actor_id: key.actor_id } })
  }
  return (
    <Act label="Connect it" act={connect}>
      <TextInput label="Its name" value={name} onChange={(event) => setName(event.currentTarget.value)} maw={280} mb="xs" />
      An Alertmanager posts its alerts here with a key of its own. The key is shown in the next step, once.
    </Act>
  )
}

/** The key that was made a step ago, and where it goes. */
export function SourceKey() {
  const key = rememberedKey()?.key
  if (!key) return null
  const receiver = `receivers:
  - name: countersign
    webhook_configs:
      - url: ${window.location.origin}/api/v1/hooks/alertmanager
        http_config: { authorization: { credentials: ${key} } }`
  return (
    <Stack gap={4} mt="xs" maw={680}>
      <Text size="sm">For your own Alertmanager, shown this once:</Text>
      <Code block tabIndex={0} aria-label="Receiver for Alertmanager">{receiver}</Code>
      <Group>
        <CopyButton value={receiver}>
          {({ copied, copy }) => <Button size="compact-sm" variant="default" onClick={copy}>{copied ? 'Copied' : 'Copy'}</Button>}
        </CopyButton>
      </Group>
    </Stack>
  )
}
