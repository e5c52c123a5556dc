import { Group, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { api, type Schema } from '../../api/client'
import { get } from '../../api/queries'
import { useMay } from '../../app/session'
import { needed } from '../../logic/roles'
import { ActorName } from '../../parts/ActorName'
import { PlainTable, type PlainColumn } from '../../parts/PlainTable'
import { Section } from '../../parts/Section'
import { Loaded } from '../../parts/State'
import { Sure } from '../../parts/Sure'
import { Tone } from '../../parts/Tone'
import { useTouch } from '../../parts/useTouch'
import { When } from '../../parts/When'

const WAYS = [
  {
    kind: 'kek', label: 'Wrap anew',
    says: 'The tenant’s keys are wrapped by the newest key-encryption key. No secret is touched.',
  },
  {
    kind: 'tenant_key', label: 'New tenant keys',
    says: 'The tenant gets new keys, which take over what opens credentials, second factors and secrets told once.',
  },
  { kind: 'data_key', label: 'Encrypt anew', says: 'Every secret is encrypted anew.' },
]

const PURPOSE: Record<string, string> = {
  change: 'credentials, opened by workers',
  request: 'second factors and shared secrets',
}

const keyColumns: PlainColumn<Schema<'TenantKeyOut'>>[] = [
  { name: 'Seals', cell: (key) => PURPOSE[key.purpose] ?? key.purpose },
  { name: 'Generation', cell: (key) => key.generation },
  {
    name: 'Wrapped by',
    cell: (key) => key.kek_id === 'retired'
      ? <Tone of="gray">retired</Tone> : <span className="mono">{key.kek_id}</span>,
  },
  { name: 'Made', cell: (key) => <When at={key.created_at} /> },
  { name: 'Wrapped anew', cell: (key) => <When at={key.rewrapped_at} /> },
]

const runColumns: PlainColumn<Schema<'KeyRotationOut'>>[] = [
  { name: 'What', cell: (run) => WAYS.find((way) => way.kind === run.kind)?.label ?? run.kind },
  {
    name: 'State',
    cell: (run) => <Tone of={run.state === 'done' ? 'green' : 'blue'}>{run.state}</Tone>,
  },
  { name: 'Keys', cell: (run) => run.keys_done },
  {
    name: 'Secrets',
    cell: ({ secrets_done: done, secrets_failed: failed }) => failed > 0 ? `${done}, ${failed} did not open` : done,
  },
  { name: 'By', cell: (run) => (run.requested_by ? <ActorName id={run.requested_by} /> : 'the operator') },
  { name: 'When', cell: (run) => <When at={run.ended_at ?? run.created_at} /> },
]

/** The keys secrets are sealed under, by what is known of them, and their rotation. */
export function TenantKeys() {
  const keys = useQuery(get('/api/v1/tenant-keys'))
  const runs = useQuery({
    ...get('/api/v1/key-rotations'),
    // A run goes on in the background, and tells nobody how far it is.
    refetchInterval: (query) => (query.state.data?.some((run) => run.state === 'running') ? 3_000 : false),
  })
  const why = useMay('keys.rotate') ? undefined : needed('keys.rotate')
  const touch = useTouch()
  const running = runs.data?.some((run) => run.state === 'running') ? 'A rotation is under way.' : undefined
  const rotate = (kind: string) =>
    api.POST('/api/v1/key-rotations', { body: { kind } }).then(() => touch('key-rotations', 'tenant-keys'))
  return (
    <Section title="Encryption keys">
      <Stack gap="sm">
        <Text size="sm" className="faint">Everything goes on while keys rotate, and approvals stay as they are.</Text>
        <Loaded query={keys} rows={2}>
          {(rows) => <PlainTable label="Encryption keys" columns={keyColumns} rows={rows} id={(key) => key.id} />}
        </Loaded>
        <Group gap="xs">
          {WAYS.map((way) => (
            <Sure
              key={way.kind} label={way.label} title={`${way.label}?`} why={why ?? running}
              button={{ size: 'compact-sm' }}
              act={() => rotate(way.kind)}
            >
              {way.says} Workers do it in the background.
            </Sure>
          ))}
        </Group>
        {!!runs.data?.length && (
          <PlainTable label="Rotations of keys" columns={runColumns} rows={runs.data} id={(run) => run.id} />
        )}
      </Stack>
    </Section>
  )
}
