import { Text } from '@mantine/core'
import type { Schema } from '../../api/client'
import { Outside } from '../../parts/Outside'
import type { PlainColumn } from '../../parts/PlainTable'
import { Tone } from '../../parts/Tone'
import { When } from '../../parts/When'

export type Key = Schema<'KeyOut'>

/** Whether a key works, and if not, why. */
export function KeyState({ apiKey }: { apiKey: Key }) {
  const over = apiKey.expires_at ? Date.parse(apiKey.expires_at) <= Date.now() : false
  if (apiKey.is_active && !over) return <Tone of="green">works</Tone>
  return <Tone of="gray">{over ? 'ended' : 'revoked'}</Tone>
}

/** What is shown of any API key. */
export const keyColumns: PlainColumn<Key>[] = [
  {
    name: 'Key',
    cell: (key) => <><Outside>{key.name}</Outside><Text size="xs" className="mono">{key.key_prefix}…</Text></>,
  },
  { name: 'State', cell: (key) => <KeyState apiKey={key} /> },
  {
    name: 'For',
    cell: (key) => <Text size="xs" className="mono">{key.scopes.join(', ') || 'all its holder may'}</Text>,
  },
  { name: 'Last used', cell: (key) => <When at={key.last_used_at} /> },
  { name: 'Ends', cell: (key) => <When at={key.expires_at} /> },
]
