import { Alert, Button, Code, CopyButton, Group, Stack, Text } from '@mantine/core'
import { IconAlertTriangle } from '@tabler/icons-react'
import type { ReactNode } from 'react'

interface ShownOnceProps {
  /** What it is: `The key`. */
  what: string
  value: string
  /** What to do with it. */
  children?: ReactNode
  onDone?: () => void
}

/** A secret that is shown now and never again. */
export function ShownOnce({ what, value, children, onDone }: ShownOnceProps) {
  return (
    <Alert
      color="yellow" variant="light" icon={<IconAlertTriangle size={18} />} role="status"
      title={`${what} is shown now and never again`} styles={{ title: { color: 'var(--mantine-color-text)' } }}
    >
      <Stack gap="xs">
        <Copied value={value} label={what} />
        {children && <Text size="sm" component="div">{children}</Text>}
        {onDone && (
          <Group><Button size="compact-sm" variant="default" onClick={onDone}>I have kept it</Button></Group>
        )}
      </Stack>
    </Alert>
  )
}

/** Text that is to be taken elsewhere, with a button that copies it. */
export function Copied({ value, label }: { value: string; label: string }) {
  return (
    <Group gap="xs" align="flex-start" wrap="wrap">
      <Code
        block tabIndex={0} role="group" aria-label={label} flex="1 1 14rem" miw={0} mah="18rem"
        style={{ overflow: 'auto', whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}
      >
        {value}
      </Code>
      <CopyButton value={value} timeout={2_000}>
        {({ copied, copy }) => (
          <Button
            size="compact-sm" variant="default" onClick={copy}
            aria-label={copied ? `${label}: copied` : `Copy: ${label}`}
          >
            {copied ? 'Copied' : 'Copy'}
          </Button>
        )}
      </CopyButton>
    </Group>
  )
}
