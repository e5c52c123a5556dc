import { Button, Group, Modal, Text } from '@mantine/core'
import { useBlocker } from '@tanstack/react-router'
import { useCallback, type RefObject } from 'react'

interface UnsavedProps {
  dirty: boolean
  /** Set while the view itself leaves, after a save. */
  leaving?: RefObject<boolean>
}

/** Asks before a text that is not saved is left, inside the console and when the page is closed. */
export function Unsaved({ dirty, leaving }: UnsavedProps) {
  const block = useCallback(
    ({ current, next }: { current: { pathname: string }; next: { pathname: string } }) =>
      dirty && leaving?.current !== true && current.pathname !== next.pathname,
    [dirty, leaving],
  )
  const blocked = useBlocker({ shouldBlockFn: block, enableBeforeUnload: dirty, disabled: !dirty, withResolver: true })
  return (
    <Modal opened={blocked.status === 'blocked'} onClose={() => blocked.reset?.()} title="Leave what you wrote?">
      <Text size="sm">The document has changes that are not saved. Leaving loses them.</Text>
      <Group justify="flex-end" gap="xs" mt="md">
        <Button variant="default" onClick={() => blocked.reset?.()} data-autofocus>Stay</Button>
        <Button color="red" onClick={() => blocked.proceed?.()}>Leave, and lose them</Button>
      </Group>
    </Modal>
  )
}
