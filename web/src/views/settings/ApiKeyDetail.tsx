import { Group, Modal, Stack, Text } from '@mantine/core'
import { useState } from 'react'
import { api } from '../../api/client'
import { ActorName } from '../../parts/ActorName'
import { Facts } from '../../parts/Facts'
import { FieldForm } from '../../parts/FieldForm'
import { Outside } from '../../parts/Outside'
import { Section } from '../../parts/Section'
import { MayButton, Sure } from '../../parts/Sure'
import { useTouch } from '../../parts/useTouch'
import { When } from '../../parts/When'
import { KeyState, type Key } from './keyColumns'
import { tiers } from './tiers'

/** One API key: whose it is, what it is for, its quota, and its end. */
export function ApiKeyDetail({ apiKey }: { apiKey: Key }) {
  return (
    <Section title={<Outside>{apiKey.name}</Outside>}>
      <Stack gap="md">
        <Facts
          facts={[
            ['State', <KeyState apiKey={apiKey} />],
            ['Begins with', <span className="mono">{apiKey.key_prefix}</span>],
            ['Holder', <><ActorName id={apiKey.actor_id} /> ({apiKey.type})</>],
            ['Roles of the holder', apiKey.roles.join(', ') || 'none'],
            ['For', <span className="mono">{apiKey.scopes.join(', ') || 'all its holder may'}</span>],
            ['Quota', apiKey.tier],
            ['Made', <When at={apiKey.created_at} />],
            ['Last used', <When at={apiKey.last_used_at} />],
            ['Ends', <When at={apiKey.expires_at} />],
          ]}
        />
        {apiKey.is_active && <Acts apiKey={apiKey} />}
      </Stack>
    </Section>
  )
}

function Acts({ apiKey }: { apiKey: Key }) {
  const [setting, set] = useState(false)
  const touch = useTouch()
  const path = { path: { id: apiKey.id } }
  return (
    <Group gap="xs">
      <MayButton size="compact-sm" onClick={() => set(true)}>Set its quota</MayButton>
      <Sure
        label="Revoke" title={`Revoke ${apiKey.name}?`} color="red" button={{ size: 'compact-sm' }}
        act={() =>
          api.DELETE('/api/v1/api-keys/{id}', { params: path }).then(() => touch('api-keys', 'service-accounts'))}
      >
        It stops working at once and for good. Whatever sends it is refused until it has another.
      </Sure>
      <Modal opened={setting} onClose={() => set(false)} title="Quota of the key">
        {setting && (
          <FieldForm
            fields={[{ at: 'tier', label: 'Quota', kind: 'choice', required: true, options: tiers }]} known={apiKey}
            submit="Set it" onCancel={() => set(false)}
            onSubmit={async (body) => {
              await api.PUT('/api/v1/api-keys/{id}/tier', { params: path, body: { tier: String(body.tier) } })
              await touch('api-keys', 'usage')
              set(false)
            }}
          >
            {() => <Text size="sm" className="faint">How many evaluations a month it has, in the decision API.</Text>}
          </FieldForm>
        )}
      </Modal>
    </Group>
  )
}
