import { Modal, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, type Schema } from '../../api/client'
import { get } from '../../api/queries'
import { useMay } from '../../app/session'
import { needed } from '../../logic/roles'
import { FieldForm } from '../../parts/FieldForm'
import { PlainTable, type PlainColumn } from '../../parts/PlainTable'
import { Section } from '../../parts/Section'
import { Loaded } from '../../parts/State'
import { MayButton, Sure } from '../../parts/Sure'
import { useTouch } from '../../parts/useTouch'
import { ABOUT } from './classes'

type Rule = Schema<'RetentionRuleOut'>

/** A hundred years of days: the longest a rule may keep anything. */
const MOST = 36_525

/** How long things of each class are kept. */
export function RetentionRules() {
  const rules = useQuery(get('/api/v1/retention'))
  const why = useMay('retention.write') ? undefined : needed('retention.write')
  const columns: PlainColumn<Rule>[] = [
    { name: 'Class', cell: (rule) => rule.class },
    { name: 'What it holds', cell: (rule) => <Text size="sm" className="faint">{ABOUT[rule.class]}</Text> },
    { name: 'Kept', cell: (rule) => `${rule.keep.toLocaleString('en')} ${rule.unit}` },
    {
      name: 'Default',
      cell: ({ default: usual, least }) => (
        <span className="faint">{usual.toLocaleString('en')}; {least.toLocaleString('en')} or more</span>
      ),
    },
    { name: 'Actions', cell: (rule) => <Acts rule={rule} why={why} /> },
  ]
  return (
    <Section title="How long what is kept">
      <Text size="sm" className="faint" mb="xs">
        Counted from the end of a thing. What is older goes to the archive, every hour; conversations and notifications
        are deleted.
      </Text>
      <Loaded query={rules} rows={8}>
        {(rows) => <PlainTable label="How long what is kept" columns={columns} rows={rows} id={(rule) => rule.class} />}
      </Loaded>
    </Section>
  )
}

function Acts({ rule, why }: { rule: Rule; why: string | undefined }) {
  const [opened, open] = useState(false)
  const touch = useTouch()
  const set = (keep?: number) =>
    api.PUT('/api/v1/retention', { body: { class: rule.class, ...(keep === undefined ? {} : { keep }) } })
      .then(() => touch('retention'))
  return (
    <>
      <MayButton why={why} onClick={() => open(true)} aria-label={`Change how long ${rule.class} are kept`}>
        Change
      </MayButton>{' '}
      {rule.own && (
        <Sure
          label="Default" title={`Keep ${rule.class} as long as the default says?`} why={why} act={() => set()}
          button={{ 'aria-label': `Keep ${rule.class} as long as the default says` }}
        >
          From now on {rule.default} {rule.unit} instead of {rule.keep}.
          {rule.default < rule.keep && ' What is older goes at the next run.'}
        </Sure>
      )}
      <Modal opened={opened} onClose={() => open(false)} title={`How long ${rule.class} are kept`}>
        {opened && (
          <FieldForm
            fields={[{
              at: 'keep', label: rule.unit === 'versions' ? 'Newest versions' : 'Days', kind: 'number', required: true,
              min: rule.least, max: MOST,
            }]}
            known={rule} submit="Set it" onCancel={() => open(false)}
            onSubmit={async (body) => {
              await set(Number(body.keep))
              open(false)
            }}
          >
            {(draft) => Number(draft.keep) < rule.keep && (
              <Text size="sm" c="var(--mantine-color-error)" role="status">
                Shorter than now: what is older goes at the next run, within the hour.
              </Text>
            )}
          </FieldForm>
        )}
      </Modal>
    </>
  )
}
