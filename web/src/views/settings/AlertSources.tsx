import { Group, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, type Schema } from '../../api/client'
import { get } from '../../api/queries'
import { useMay } from '../../app/session'
import { needed } from '../../logic/roles'
import { ActorName } from '../../parts/ActorName'
import { Outside } from '../../parts/Outside'
import { PlainTable, type PlainColumn } from '../../parts/PlainTable'
import { Section } from '../../parts/Section'
import { ShownOnce } from '../../parts/ShownOnce'
import { Empty, Loaded } from '../../parts/State'
import { MayButton, Sure } from '../../parts/Sure'
import { Tone } from '../../parts/Tone'
import { useTouch } from '../../parts/useTouch'
import { When } from '../../parts/When'
import { NewSource } from './NewSource'
import { randomSecret } from './randomSecret'

type Source = Schema<'SourceOut'>

/** Systems that send alerts, each with a key of its own. */
export function AlertSources() {
  const all = useQuery(get('/api/v1/alert-sources'))
  const [adding, add] = useState(false)
  const [rotated, tell] = useState<{ name: string; secret: string }>()
  const may = useMay('alert_rules.write')
  const manage = useMay('identity.manage')
  const why = may ? undefined : needed('alert_rules.write')
  const columns: PlainColumn<Source>[] = [
    { name: 'Source', cell: (source) => <Outside>{source.name}</Outside> },
    {
      name: 'What it is',
      cell: (source) => (source.kind === 'alertmanager' ? 'Alertmanager' : 'webhook of its own shape, signed'),
    },
    { name: 'Acts as', cell: (source) => <ActorName id={source.actor_id} /> },
    {
      name: 'State',
      cell: (source) => (
        <Group gap={4}>
          {source.is_active
            ? <Tone of="green">may send</Tone>
            : <Tone of="gray">switched off</Tone>}
          {source.rotating && <Tone of="yellow">two secrets count</Tone>}
        </Group>
      ),
    },
    { name: 'Since', cell: (source) => <When at={source.created_at} /> },
    {
      name: 'Actions',
      cell: (source) => <Acts source={source} why={why} onRotated={(secret) => tell({ name: source.name, secret })} />,
    },
  ]
  return (
    <Section
      title="Alert sources"
      aside={
        <MayButton
          size="compact-sm" why={why ?? (manage ? undefined : needed('identity.manage'))} onClick={() => add(true)}
        >
          Add a source
        </MayButton>
      }
    >
      <Text size="sm" className="faint" mb="xs">
        Each sends with an API key of its own. One that is switched off is refused; what it sent before stays.
      </Text>
      {rotated && (
        <ShownOnce
          what={`The new signing secret of ${rotated.name}`} value={rotated.secret} onDone={() => tell(undefined)}
        >
          The old one counts on until you end the rotation.
        </ShownOnce>
      )}
      <Loaded query={all} rows={3}>
        {(rows) => rows.length === 0
          ? <Empty title="Nothing sends alerts">Add the Alertmanager of your Prometheus, or a signed webhook.</Empty>
          : <PlainTable label="Alert sources" columns={columns} rows={rows} id={(source) => source.id} />}
      </Loaded>
      <NewSource opened={adding} onClose={() => add(false)} />
    </Section>
  )
}

interface ActsProps {
  source: Source
  why: string | undefined
  onRotated: (secret: string) => void
}

function Acts({ source, why, onRotated }: ActsProps) {
  const touch = useTouch()
  const path = { path: { name: source.name } }
  const signed = source.kind === 'generic'
  return (
    <Group gap={6}>
      <Switch source={source} why={why} />
      {signed && <Sure
        label="New secret" title={`A new signing secret for ${source.name}?`} why={why}
        button={{ 'aria-label': `New signing secret for ${source.name}` }}
        act={async () => {
          const secret = randomSecret()
          await api.POST('/api/v1/alert-sources/{name}/secret', { params: path, body: { secret } })
          await touch('alert-sources')
          onRotated(secret)
        }}
      >
        It is made here and shown once. Until you end the rotation the old one counts, too, so that the sender can
        change over.
        {source.rotating && ' A rotation is under way: the oldest of the secrets is of no use from now on.'}
      </Sure>}
      {signed && source.rotating && (
        <Sure
          label="End rotation" title="Let only the new secret count?" why={why}
          button={{ 'aria-label': `End the rotation of ${source.name}` }}
          act={() =>
            api.DELETE('/api/v1/alert-sources/{name}/previous-secret', { params: path })
              .then(() => touch('alert-sources'))}
        >
          What is still signed with the old secret is refused from now on.
        </Sure>
      )}
    </Group>
  )
}

/** Switches a source off, or on again. */
function Switch({ source, why }: { source: Source; why: string | undefined }) {
  const touch = useTouch()
  const off = source.is_active
  return (
    <Sure
      label={off ? 'Switch off' : 'Switch on'} title={`${off ? 'Switch off' : 'Switch on'} ${source.name}?`} why={why}
      color={off ? 'red' : undefined} button={{ 'aria-label': `${off ? 'Switch off' : 'Switch on'} ${source.name}` }}
      act={() =>
        api.PATCH('/api/v1/alert-sources/{name}', {
          params: { path: { name: source.name } }, body: { is_active: !off },
        }).then(() => touch('alert-sources'))}
    >
      {off
        ? 'Whatever it sends from now on is refused, and starts nothing. Its alerts, and all that came of them, stay.'
        : 'What it sends counts again, with the key and the secret it has.'}
    </Sure>
  )
}
