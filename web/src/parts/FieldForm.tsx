import { Anchor, Button, Group, Stack } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState, type FormEvent, type ReactNode } from 'react'
import { asProblem, Problem } from '../api/problem'
import { asked, bodyOf, draftOf, faultOf, unplaced, type Body, type Draft, type Field } from '../logic/fields'
import { FieldInput } from './FieldInput'
import { Failed } from './State'
import classes from './FieldForm.module.css'

interface FieldFormProps {
  fields: Field[]
  /** What is there; nothing when something new is made. */
  known?: unknown
  /** What the button says. */
  submit: string
  onSubmit: (body: Body) => Promise<unknown>
  onCancel?: () => void
  /** Anything to be said of what was typed. */
  children?: (draft: Draft) => ReactNode
}

/** A form over the fields of a plain object; what the server says is wrong stands at its field. */
export function FieldForm({ fields, known, submit, onSubmit, onCancel, children }: FieldFormProps) {
  const [draft, setDraft] = useState<Draft>(() => draftOf(fields, known))
  const [faults, setFaults] = useState<Record<string, string>>({})
  // What was typed anew since the server found fault with it.
  const [mended, mend] = useState<string[]>([])
  // What was typed may be secret: nothing keeps it once the form is gone.
  const saving = useMutation({ mutationFn: onSubmit, gcTime: 0 })
  const problem = saving.error ? asProblem(saving.error) : undefined
  const shown = asked(fields, draft)

  const save = (event: FormEvent) => {
    event.preventDefault()
    if (saving.isPending) return
    mend([])
    const read = bodyOf(fields, draft, known)
    setFaults(read.faults)
    if (Object.keys(read.faults).length === 0) saving.mutate(read.body)
    else saving.reset()
  }
  const set = (field: Field, value: Draft[string]) => {
    setDraft((now) => ({ ...now, [field.at]: value }))
    setFaults(({ [field.at]: _, ...rest }) => rest)
    mend((now) => [...now, field.at])
  }

  return (
    <form onSubmit={save} noValidate className={classes.form}>
      <Stack gap="sm">
        {shown.map((field) => {
          const suggested = field.suggest?.(draft)
          const fault = problem && !mended.includes(field.at) ? faultOf(field, problem.errors) : undefined
          return (
            <div key={field.at}>
              <FieldInput
                field={field} value={draft[field.at] ?? ''} set={(value) => set(field, value)}
                locked={field.once === true && known !== undefined}
                error={faults[field.at] ?? fault}
              />
              {suggested && suggested !== draft[field.at] && (
                <Anchor component="button" type="button" size="xs" onClick={() => set(field, suggested)}>
                  Take <span className="mono">{suggested}</span>
                </Anchor>
              )}
            </div>
          )
        })}
        {children?.(draft)}
        {problem && <Left problem={problem} fields={shown} />}
        <Group justify="flex-end" gap="xs">
          {onCancel && <Button variant="default" onClick={onCancel}>Cancel</Button>}
          <Button type="submit" loading={saving.isPending}>{submit}</Button>
        </Group>
      </Stack>
    </form>
  )
}

/** What of a problem stands at no field. */
function Left({ problem, fields }: { problem: Problem; fields: Field[] }) {
  const left = unplaced(fields, problem.errors)
  if (problem.errors.length > 0 && left.length === 0) return null
  const { status, code, title, detail, requestId } = problem
  return <Failed problem={new Problem(status, { code, title, detail, errors: left, request_id: requestId })} />
}
