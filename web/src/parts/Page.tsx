import { Group, Stack, Text, Title } from '@mantine/core'
import type { ReactNode } from 'react'

interface PageProps {
  title: ReactNode
  about?: ReactNode
  /** Buttons, beside the title. */
  actions?: ReactNode
  children: ReactNode
}

/** The frame of a view: its title, what can be done, and the rest. */
export function Page({ title, about, actions, children }: PageProps) {
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
