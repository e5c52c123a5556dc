import { Button, Group, Modal, Stack, type MantineColor, type MantineSize } from '@mantine/core'
import type { FormEvent, ReactNode } from 'react'
import { asProblem, type Problem } from '../../api/problem'
import { Failed } from '../../parts/State'

interface DialogProps {
  title: string
  opened: boolean
  onClose: () => void
  /** What the button that does it says. */
  confirm: string
  color?: MantineColor
  size?: MantineSize | string
  /** Whether it can be confirmed as it is filled in. */
  ready?: boolean
  busy: boolean
  error: unknown
  /** Pointers of fields that show their own faults. */
  fields?: string[]
  onConfirm: () => void
  children: ReactNode
}

/** Asks once more before something is done, says what will happen, and shows why it could not be. */
export function Dialog(props: DialogProps) {
  const { title, opened, onClose, confirm, color, size = 'lg', ready = true, busy, error, onConfirm, children } = props
  const problem = error ? asProblem(error) : undefined
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (ready && !busy) onConfirm()
  }
  return (
    <Modal opened={opened} onClose={onClose} title={title} size={size}>
      <form onSubmit={submit}>
        <Stack gap="sm">
          {children}
          {problem && !atFields(problem, props.fields ?? []) && <Failed problem={problem} />}
          <Group justify="flex-end" gap="sm">
            <Button variant="default" onClick={onClose}>Cancel</Button>
            <Button type="submit" color={color} loading={busy} disabled={!ready}>{confirm}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}

/** Whether all that is wrong is said at fields. */
function atFields(problem: Problem, fields: string[]): boolean {
  return problem.errors.length > 0 && problem.errors.every((fault) => fields.includes(fault.path))
}
