import { Alert, Modal } from '@mantine/core'
import { useState } from 'react'
import { api, type Schema } from '../../api/client'
import { useAccount, useMay } from '../../app/session'
import type { Field } from '../../logic/fields'
import { needed } from '../../logic/roles'
import { FieldForm } from '../../parts/FieldForm'
import { MayButton } from '../../parts/Sure'
import { useTouch } from '../../parts/useTouch'

const fields: Field[] = [
  {
    at: 'reason', label: 'Why', kind: 'long', required: true,
    help: 'At least 20 characters: what is broken, and why nobody else can agree.',
  },
  { at: 'minutes', label: 'For how many minutes', kind: 'number', required: true, min: 1, max: 120, initial: 30 },
]

/** Takes emergency authority, after saying what it is and who will look at it. */
export function TakeAuthority({ unreviewed }: { unreviewed: boolean }) {
  const [taking, take] = useState(false)
  const account = useAccount()
  const may = useMay('break_glass.use')
  const touch = useTouch()
  const why = !may ? needed('break_glass.use')
    : account.type !== 'user' ? 'Emergency authority is for people.'
    : unreviewed ? 'What you took before must be reviewed first.' : undefined
  return (
    <>
      <MayButton size="compact-sm" color="red" variant="light" why={why} onClick={() => take(true)}>
        Break the glass
      </MayButton>
      <Modal opened={taking} onClose={() => take(false)} title="Take emergency authority?">
        {taking && (
          <FieldForm
            fields={fields} submit="Break the glass" onCancel={() => take(false)}
            onSubmit={async (body) => {
              await api.POST('/api/v1/break-glass', { body: body as Schema<'BreakGlassIn'> })
              await touch('break-glass')
              take(false)
            }}
          >
            {() => (
              <Alert color="orange" variant="light">
                You may then approve alone, also what you asked for yourself. Everybody sees that you did, it stands in
                the signed log, and somebody else reviews it. You cannot take it again before that.
              </Alert>
            )}
          </FieldForm>
        )}
      </Modal>
    </>
  )
}
