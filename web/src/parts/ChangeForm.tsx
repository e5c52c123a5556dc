import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useId, type ReactNode } from 'react'
import type { Body, Draft, Field } from '../logic/fields'
import { FieldForm } from './FieldForm'
import type { Seen } from './seen'
import { Loaded } from './State'

interface ChangeFormProps {
  fields: Field[]
  submit?: string
  /** Reads what is changed as it is now, with the name of that state. */
  read: () => Promise<Seen<unknown>>
  /** Changes it, if it is still in the state `tag` names. */
  save: (body: Body, tag: string | undefined) => Promise<unknown>
  onClose: () => void
  /** Anything to be said of what was typed. */
  children?: ((draft: Draft) => ReactNode) | undefined
}

/** A form over something as it is when the form opens: what somebody else changes meanwhile is not overwritten. */
export function ChangeForm({ fields, submit = 'Save', read, save, onClose, children }: ChangeFormProps) {
  const opening = useId()
  const now = useQuery({ queryKey: ['seen', opening], queryFn: read, gcTime: 0, staleTime: Infinity })
  return (
    <Loaded query={now} rows={5}>
      {({ value, tag }) => (
        <>
          <FieldForm
            key={tag} fields={fields} known={value} submit={submit} onCancel={onClose}
            onSubmit={async (body) => {
              await save(body, tag)
              onClose()
            }}
          >
            {children}
          </FieldForm>
          {tag !== undefined && (
            <Button size="compact-xs" variant="subtle" mt="xs" onClick={() => void now.refetch()}>
              Read it again
            </Button>
          )}
        </>
      )}
    </Loaded>
  )
}
