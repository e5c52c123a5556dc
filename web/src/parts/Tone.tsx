import { Badge } from '@mantine/core'

/** A word about how something stands, and a colour beside it that is never the only sign. */
export function Tone({ of, children }: { of: string; children: string }) {
  return <Badge size="sm" variant="dot" color={of} c="var(--mantine-color-text)">{children}</Badge>
}
