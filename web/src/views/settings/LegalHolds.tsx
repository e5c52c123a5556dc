import { Modal, Text } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, type Schema } from '../../api/client'
import { pages } from '../../api/queries'
import { useMay } from '../../app/session'
import type { Field } from '../../logic/fields'
import { needed } from '../../logic/roles'
import { ActorName } from '../../parts/ActorName'
import { FieldForm } from '../../parts/FieldForm'
import { Outside } from '../../parts/Outside'
import { PlainTable, type PlainColumn } from '../../parts/PlainTable'
import { Section } from '../../parts/Section'
import { Empty, Loaded } from '../../parts/State'
import { MayButton, Sure } from '../../parts/Sure'
import { Tone } from '../../parts/Tone'
import { useAll } from '../../parts/useAll'
import { useTouch } from '../../parts/useTouch'
import { When } from '../../parts/When'
import { classes } from './classes'

type Hold = Schema<'HoldOut'>

const LONGEST_REASON = 1_000

const fields: Field[] = [
  { at: 'class', label: 'What must stay', kind: 'choice', options: classes, help: 'Without a choice: everything.' },
  { at: 'reason', label: 'Why', kind: 'long', required: true, placeholder: 'Matter 2026-17' },
]

/** Legal holds: what must stay, whatever the rules say. */
export function LegalHolds() {
  const all = useAll(useInfiniteQuery(pages('/api/v1/legal-holds', {}, 100)))
  const [setting, set] = useState(false)
  const why = useMay('retention.write') ? undefined : needed('retention.write')
  const touch = useTouch()
  const columns: PlainColumn<Hold>[] = [
    { name: 'Keeps', cell: (hold) => hold.class ?? 'everything' },
    { name: 'Why', cell: (hold) => <Outside>{hold.reason}</Outside> },
    {
      name: 'State',
      cell: (hold) => hold.in_force
        ? <Tone of="orange">in force</Tone>
        : <Tone of="gray">lifted</Tone>,
    },
    { name: 'Set', cell: (hold) => <><When at={hold.set_at} /> by <ActorName id={hold.set_by} /></> },
    {
      name: 'Lifted',
      cell: (hold) => hold.in_force ? <Lift hold={hold} why={why} /> : (
        <>
          <When at={hold.lifted_at} /> by <ActorName id={hold.lifted_by} />: <Outside>{hold.lift_reason}</Outside>
        </>
      ),
    },
  ]
  return (
    <Section
      title="Legal holds"
      aside={<MayButton size="compact-sm" why={why} onClick={() => set(true)}>Set a hold</MayButton>}
    >
      <Loaded query={all} rows={2}>
        {(rows) => rows.length === 0
          ? <Empty title="None was ever set">What is old goes as the rules say.</Empty>
          : <PlainTable label="Legal holds" columns={columns} rows={rows} id={(hold) => hold.id} />}
      </Loaded>
      <Modal opened={setting} onClose={() => set(false)} title="Set a legal hold">
        {setting && (
          <FieldForm
            fields={fields} submit="Set it" onCancel={() => set(false)}
            onSubmit={async (body) => {
              await api.POST('/api/v1/legal-holds', { body: body as Schema<'HoldIn'> })
              await touch('legal-holds', 'retention')
              set(false)
            }}
          >
            {() => (
              <Text size="sm" className="faint">
                What it covers neither goes to the archive nor is deleted until it is lifted, and people whose traces it
                covers cannot be erased.
              </Text>
            )}
          </FieldForm>
        )}
      </Modal>
    </Section>
  )
}

function Lift({ hold, why }: { hold: Hold; why: string | undefined }) {
  const touch = useTouch()
  return (
    <Sure
      label="Lift" title="Lift this legal hold?" why={why} color="red" reason={{ label: 'Why', most: LONGEST_REASON }}
      button={{ 'aria-label': `Lift the hold: ${hold.reason}` }}
      act={(reason) =>
        api.POST('/api/v1/legal-holds/{id}/lift', { params: { path: { id: hold.id } }, body: { reason } })
          .then(() => touch('legal-holds', 'retention'))}
    >
      What it kept ({hold.class ?? 'everything'}) goes as the rules say, from the next run on, if no other hold keeps
      it. It cannot be taken up again; a new one can be set.
    </Sure>
  )
}
