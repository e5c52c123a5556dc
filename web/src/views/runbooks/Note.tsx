import { Alert } from '@mantine/core'
import type { ReactNode } from 'react'

interface NoteProps {
  color: string
  title: ReactNode
  children?: ReactNode
}

/** Something to know before going on. Its title has the colour of text: coloured on colour it is hard to read. */
export function Note({ color, title, children }: NoteProps) {
  return (
    <Alert color={color} variant="light" title={title} styles={{ title: { color: 'var(--mantine-color-text)' } }}>
      {children}
    </Alert>
  )
}
