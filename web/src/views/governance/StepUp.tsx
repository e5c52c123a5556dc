import { Modal, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, type Schema } from '../../api/client'
import { get } from '../../api/queries'
import { useMay } from '../../app/session'
import type { Field } from '../../logic/fields'
import { needed } from '../../logic/roles'
import { FieldForm } from '../../parts/FieldForm'
import { Tier } from '../../parts/Marks'
import { Section } from '../../parts/Section'
import { Loaded } from '../../parts/State'
import { MayButton } from '../../parts/Sure'
import { useTouch } from '../../parts/useTouch'

const ASKED: Record<string, string> = {
  enrolled: 'Whoever has a second factor must show it; whoever has none approves without.',
  required_for_critical:
    'Whoever has a second factor must show it; whoever has none approves without, but not what is critical.',
  required: 'Whoever has a second factor must show it; whoever has none cannot approve.',
}

const fields: Field[] = [
  {
    at: 'asked', label: 'Of whom', kind: 'choice', required: true, options: [
      { value: 'enrolled', label: 'Of whoever has one' },
      { value: 'required_for_critical', label: 'Of whoever has one; for what is critical, of everybody' },
      { value: 'required', label: 'Of everybody' },
    ],
  },
  {
    at: 'tier', label: 'From which tier on', kind: 'choice', required: true,
    options: ['medium', 'high', 'critical'].map((tier) => ({ value: tier, label: tier })),
  },
]

/** When approving asks for a second factor. */
export function StepUp() {
  const policy = useQuery(get('/api/v1/step-up-policy'))
  const why = useMay('policy.write') ? undefined : needed('policy.write')
  const [changing, change] = useState(false)
  const touch = useTouch()
  return (
    <Section
      title="Second factor for approvals"
      aside={policy.data && <MayButton size="compact-sm" why={why} onClick={() => change(true)}>Change</MayButton>}
    >
      <Loaded query={policy} rows={2}>
        {({ asked, tier }) => (
          <>
            <Text size="sm" component="div">From tier <Tier of={tier} /> on. {ASKED[asked] ?? asked}</Text>
            <Text size="sm" className="faint" mt={4}>
              A second factor is shown for exactly one approval and counts for five minutes.
            </Text>
          </>
        )}
      </Loaded>
      <Modal opened={changing} onClose={() => change(false)} title="Second factor for approvals">
        {changing && (
          <FieldForm
            fields={fields} known={policy.data} submit="Set it" onCancel={() => change(false)}
            onSubmit={async (body) => {
              await api.PUT('/api/v1/step-up-policy', { body: body as Schema<'StepUpPolicy'> })
              await touch('step-up-policy')
              change(false)
            }}
          >
            {(draft) => <Text size="sm" className="faint">{ASKED[String(draft.asked)]}</Text>}
          </FieldForm>
        )}
      </Modal>
    </Section>
  )
}
