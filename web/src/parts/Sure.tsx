import { Button, Group, Modal, Stack, Text, Textarea, TextInput, Tooltip, type ButtonProps } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState, type FormEvent, type ReactNode } from 'react'
import { asProblem } from '../api/problem'
import { Failed } from './State'
import classes from './FieldForm.module.css'

interface MayButtonProps extends ButtonProps {
  /** Why whoever is looking may not; they may when there is no reason. */
  why?: string | undefined
  onClick: () => void
  children: ReactNode
  'aria-label'?: string
  'aria-expanded'?: boolean
}

/** A button that says why it cannot be used, to whoever may not. */
export function MayButton({ why, onClick, children, ...rest }: MayButtonProps) {
  const button = (
    <Button
      size="compact-sm" variant="default" {...rest}
      data-disabled={why ? true : undefined} aria-disabled={why ? true : undefined}
      onClick={() => !why && onClick()}
    >
      {children}
    </Button>
  )
  return why ? <Tooltip label={why}>{button}</Tooltip> : button
}

interface SureProps {
  /** What the button says, and the one that does it. */
  label: string
  /** The question. */
  title: string
  /** What exactly will happen. */
  children: ReactNode
  act: (reason: string) => Promise<unknown>
  onDone?: () => void
  why?: string | undefined
  /** What a reason is asked for, when one is needed. */
  reason?: { label: string; help?: string; least?: number; most?: number }
  /** A word to be typed, for what cannot be undone. */
  typed?: string
  color?: string
  button?: ButtonProps & { 'aria-label'?: string }
}

/**
 * A button that asks once more, and says what will happen. What was asked is what is done: when
 * things change while the question is open, it does not turn into another one.
 */
export function Sure(props: SureProps) {
  const [asked, ask] = useState<SureProps>()
  const { label, why, button } = props
  const close = () => ask(undefined)
  return (
    <>
      <MayButton why={why} onClick={() => ask(props)} {...button}>{label}</MayButton>
      <Modal opened={asked !== undefined} onClose={close} title={asked?.title}>
        {asked && (
          <Question
            {...asked} onCancel={close}
            onDone={() => {
              close()
              asked.onDone?.()
            }}
          />
        )}
      </Modal>
    </>
  )
}

type QuestionProps = Pick<SureProps, 'label' | 'children' | 'act' | 'reason' | 'typed' | 'color'> & {
  onDone: () => void
  onCancel: () => void
}

function Question({ label, children, act, reason, typed, color, onDone, onCancel }: QuestionProps) {
  const [said, say] = useState('')
  const [word, setWord] = useState('')
  const acting = useMutation({ mutationFn: () => act(said.trim()), onSuccess: onDone, gcTime: 0 })
  const problem = acting.error ? asProblem(acting.error) : undefined
  const least = reason?.least ?? 1
  const ready = (!reason || said.trim().length >= least) && (typed === undefined || word.trim() === typed)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (ready && !acting.isPending) acting.mutate()
  }
  return (
    <form onSubmit={submit} className={classes.form}>
      <Stack gap="sm">
        <Text size="sm" component="div">{children}</Text>
        {reason && (
          <Textarea
            label={reason.label} description={reason.help} value={said} autosize minRows={2} maxLength={reason.most}
            onChange={(event) => say(event.currentTarget.value)} error={problem?.field('/reason')} required
            data-autofocus
          />
        )}
        {typed !== undefined && (
          <TextInput
            label={`Type ${typed} to be sure`} value={word} onChange={(event) => setWord(event.currentTarget.value)}
            autoComplete="off" required
          />
        )}
        {problem && <Failed problem={problem} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onCancel}>Cancel</Button>
          <Button type="submit" color={color} loading={acting.isPending} disabled={!ready}>{label}</Button>
        </Group>
      </Stack>
    </form>
  )
}
