import { Group, Stack, Text, Title } from '@mantine/core'
import { useEffect, type ReactNode } from 'react'
import { useArrived } from '../app/arrived'
import { textOf } from './textOf'

interface PageProps {
  title: ReactNode
  about?: ReactNode
  /** Buttons, beside the title. */
  actions?: ReactNode
  children: ReactNode
}

/** The frame of a view: its title, which is the document's too, what can be done, and the rest. */
export function Page({ title, about, actions, children }: PageProps) {
  const name = textOf(title)
  // Two views of one name after each other: the shell named the place between them.
  const arrived = useArrived()
  useEffect(() => {
    if (name) document.title = `${name} · Countersign`
  }, [name, arrived])
  return (
    <Stack gap="md">
      <Group justify="space-between" align="flex-start" gap="sm">
        <div style={{ minWidth: 0 }}>
          <Title order={1}>{title}</Title>
          {about && <Text size="sm" className="faint" component="div">{about}</Text>}
        </div>
        {actions && <Group gap="xs">{actions}</Group>}
      </Group>
      {children}
    </Stack>
  )
}
