import { Alert, Modal, Text } from '@mantine/core'
import { useState } from 'react'
import { api } from '../../api/client'
import { Problem } from '../../api/problem'
import type { Field } from '../../logic/fields'
import { FieldForm } from '../../parts/FieldForm'
import { Section } from '../../parts/Section'
import { MayButton } from '../../parts/Sure'
import { useTouch } from '../../parts/useTouch'

const fields: Field[] = [
  { at: 'current_password', label: 'The present one', kind: 'secret', required: true },
  {
    at: 'new_password', label: 'The new one', kind: 'secret', required: true,
    help: '15 characters or more; a sentence is fine.',
  },
  { at: 'again', label: 'The new one again', kind: 'secret', required: true },
]

const differs = () =>
  new Problem(422, {
    title: 'It was not changed', errors: [{ path: '/again', code: 'differs', message: 'is not the same' }],
  })

/** Changes one's password; every other session ends. */
export function Password() {
  const [opened, open] = useState(false)
  const [changed, tell] = useState(false)
  const touch = useTouch()
  return (
    <Section
      title="Password"
      aside={<MayButton size="compact-sm" onClick={() => open(true)}>Change it</MayButton>}
    >
      {changed && (
        <Alert color="green" variant="light" mb="xs" role="status">
          The new password counts. Other sessions have ended.
        </Alert>
      )}
      <Text size="sm" className="faint">
        Changing it ends every session of yours but this one. Who comes through an identity provider has none here.
      </Text>
      <Modal opened={opened} onClose={() => open(false)} title="Change your password">
        {opened && (
          <FieldForm
            fields={fields} submit="Change it" onCancel={() => open(false)}
            onSubmit={async ({ current_password: current, new_password: wanted, again }) => {
              if (again !== wanted) throw differs()
              await api.POST('/api/v1/account/password', {
                body: { current_password: String(current), new_password: String(wanted) },
              })
              await touch('account')
              tell(true)
              open(false)
            }}
          />
        )}
      </Modal>
    </Section>
  )
}
