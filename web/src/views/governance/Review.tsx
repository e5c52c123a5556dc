import { Modal, Text } from '@mantine/core'
import { useState } from 'react'
import { api, type Schema } from '../../api/client'
import type { Field } from '../../logic/fields'
import { FieldForm } from '../../parts/FieldForm'
import { MayButton } from '../../parts/Sure'
import { useTouch } from '../../parts/useTouch'

const fields: Field[] = [
  {
    at: 'verdict', label: 'Was it justified?', kind: 'choice', required: true, initial: 'justified', options: [
      { value: 'justified', label: 'It was justified' },
      { value: 'not_justified', label: 'It was not justified' },
    ],
  },
  { at: 'notes', label: 'What you found', kind: 'long', required: true },
]

/** Closes the review of emergency authority somebody else took. */
export function Review({ id, why }: { id: string; why: string | undefined }) {
  const [opened, open] = useState(false)
  const touch = useTouch()
  return (
    <>
      <MayButton why={why} onClick={() => open(true)}>Review</MayButton>
      <Modal opened={opened} onClose={() => open(false)} title="Review emergency authority">
        {opened && (
          <FieldForm
            fields={fields} submit="Close the review" onCancel={() => open(false)}
            onSubmit={async (body) => {
              const review = body as Schema<'ReviewIn'>
              await api.POST('/api/v1/break-glass/{id}/review', { params: { path: { id } }, body: review })
              await touch('break-glass')
              open(false)
            }}
          >
            {() => (
              <Text size="sm" className="faint">
                A review is final, and it ends the authority if it is still held. What was approved stays approved.
              </Text>
            )}
          </FieldForm>
        )}
      </Modal>
    </>
  )
}
